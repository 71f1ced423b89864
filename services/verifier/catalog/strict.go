package catalog

import (
	"maps"

	"github.com/provenir/provenir/services/verifier/code"
	"github.com/provenir/provenir/services/verifier/math"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/text/extract"
)

// Stricter gives the partner of a spec for the held-out channel, where it has one: math reads the box or the anchored
// answer only and takes no last number. A policy that learnt to please the extraction and not the task shows up there.
func Stricter(s spec.Spec) (spec.Spec, bool) {
	if s.Name == code.Name {
		return s, true // its hidden tests run in the same job
	}
	if s.Name != math.Name {
		return spec.Spec{}, false
	}
	options := map[string]any{}
	maps.Copy(options, s.Options)
	options["profile"] = string(extract.FinalAnswer)
	options["weak"] = false
	options["strict"] = true
	return spec.Spec{Name: s.Name, Options: options}, true
}
