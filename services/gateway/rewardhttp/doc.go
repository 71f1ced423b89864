// Package rewardhttp answers reward and code calls in the forms that engines of other makers already speak: OpenRLHF's
// POST /get_reward, NeMo-Gym's POST /verify and /seed_session, SandboxFusion's POST /run_code.
//
// It is a client of VerifierService and nothing else. What could not be judged is an error in each of these forms, and
// never a number: a 0 that means "the sandbox was busy" teaches a model to fear hard tasks. Nothing here is recorded, and
// every answer says so; a call that names a run is refused until there is a service that records it.
package rewardhttp
