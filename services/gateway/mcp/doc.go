// Package mcp speaks the Model Context Protocol's JSON-RPC for environments: initialize, tools/list, tools/call, and
// OpenEnv's openenv/session/create and close.
//
// It reads requests and writes answers; a Host plays. Rewards have no place here: whoever calls tools is the policy, and
// a policy must not see what it is paid.
package mcp
