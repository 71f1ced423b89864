package spec

import (
	"encoding/json"
	"math"

	"github.com/provenir/provenir/services/verifier/reward"
)

// Resolved is a spec with its defaults filled in: what a digest is taken over. Its JSON is canonical, because Go writes
// the keys of maps sorted, those of structs in order, and numbers in shortest form.
type Resolved struct {
	Name     string       `json:"name"`
	Options  Values       `json:"options"`
	Members  []Resolved   `json:"members,omitempty"`
	Reward   *reward.Expr `json:"reward,omitempty"`
	Weight   *float64     `json:"weight,omitempty"`
	Required bool         `json:"required,omitempty"`
}

// Canonical is the JSON of a resolved spec.
func (r *Resolved) Canonical() ([]byte, error) { return json.Marshal(r) }

// CheckWeight refuses a weight that has no meaning.
func (s *Spec) CheckWeight(path string) error {
	if s.Weight != nil && (math.IsNaN(*s.Weight) || math.IsInf(*s.Weight, 0) || *s.Weight < 0) {
		return &BadSpecError{Path: path, Field: "weight", Value: showValue(*s.Weight), Allowed: "a finite number, at least 0"}
	}
	return nil
}
