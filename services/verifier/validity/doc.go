// Package validity asks of logged rollouts whether a reward is bound to its task, or could be had without solving it.
//
// The reward is compared with controls that know nothing of the task: random, constant, format only, length only, and the
// same verifier with another task's row. A reward that does not fall when the row is another's, that a control imitates, or
// that separates right from wrong no better than a control, is spurious: training on it would still move the curve.
// (Spurious rewards raised benchmark scores of Qwen2.5-Math: Shao et al. 2025, arXiv 2506.10947.)
package validity
