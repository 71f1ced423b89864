package task

// Pack is a family of problems.
type Pack interface {
	Name() string
	// Version changes with any instance: data made with one version is not data of another.
	Version() string
	// Presets are the named settings, sorted.
	Presets() []string
	// Instance is the index-th instance of a seed. The error is a *SettingError.
	Instance(seed, index uint64, s Setting) (Instance, error)
	// GuessRate is the chance of the best answer that does not look at the problem. A policy at this rate has learnt
	// nothing yet. The error is a *SettingError.
	GuessRate(s Setting) (float64, error)
	// Degenerate are answers without an attempt: echo, hedge, constant. A verifier that passes one can be bought.
	Degenerate(i Instance) []string
}
