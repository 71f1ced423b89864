// Package spec is how a verifier is asked for: a name, options, members and a reward expression.
//
// A spec is written as text (math:profile=whole,float_rounding=6), as YAML or as JSON. Resolve fills in defaults and
// refuses what the verifier does not know, so that everything that can be wrong with a spec is wrong when it is
// registered, and never a reward later.
package spec

import "github.com/provenir/provenir/services/verifier/reward"

// Spec is a request for a verifier.
type Spec struct {
	Name     string
	Options  map[string]any // string, bool, json.Number or float64, []any, map[string]any
	Members  []Spec
	Reward   *reward.Expr
	Weight   *float64 // within a composite; nil means 1
	Required bool     // makes a member a gate of its composite
}
