// Package harden tries to fool a verifier, and says how often it could be fooled: labelled probes, hacks generated for the
// verifier's family, mutations of right answers, and inputs at the edges.
//
// It is no proof: what it did not try may still pass. So every rate comes with an interval, and too few probes are refused
// instead of being called a success. The modes consistency, invariance, sensitivity, gameability, monotonicity and boundary
// have the meaning of their names; accuracy is against labels; matrix is hack classes by answer grammars by surroundings
// (after NVIDIA-NeMo/Gym's reward-hack matrix).
package harden
