// Package hack says of one rollout whether it earned its reward by the task or by the judge.
//
// Evidence has three tiers: A is what the sandbox saw (the verifier's findings), B is what code does, read from its
// structure, C is text and the other rollouts of the group. Each piece is a finding with a quote; a fitted model (weights.go)
// makes a probability of them, and rules bound it by the best tier. It does no I/O and knows no clock. What cannot be looked
// at is listed as unchecked: a row without findings and with a long list is unknown, not clean.
package hack
