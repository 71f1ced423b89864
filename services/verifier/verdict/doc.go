// Package verdict is what a verifier says of a candidate: scored with a reward, or unscored with a reason.
//
// The candidate's fault is scored 0. A fault of task, machine or ours is unscored and never a reward: a time-out that
// became 0 would teach a policy to fear hard tasks, and an error that paid would teach it to sabotage. A Verdict can
// only be made by Score and Unscore, so that one that is neither, or both, does not exist.
package verdict
