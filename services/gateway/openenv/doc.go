// Package openenv serves environments to clients of OpenEnv (huggingface/OpenEnv, src/openenv/core/env_server): its HTTP
// endpoints, and /ws with one environment a connection.
//
// It is a client of VerifierService and nothing else: no rule of an episode is here. Message kinds and error codes are
// OpenEnv's; what an observation contains is ours, and /schema says what.
package openenv
