// Package detect reads the metrics of a run step by step and says what each rule sees. It is pure: no clock, no I/O, and
// the state after a restart and replay is byte-equal to never having stopped.
//
// A detector judges; it opens nothing. How long a breach must last, when it is over, and who is told is incident's.
// Relative rules compare with the run's own baseline, since published absolute floors are wrong per model and method:
// healthy runs begin at entropies between 0.1 and 3 nats, and healthy DPO gradients lie in the hundreds.
//
// A new detector is one file with a type and one line in registry.go. Sources of the limits: recorder design 4.5.
package detect
