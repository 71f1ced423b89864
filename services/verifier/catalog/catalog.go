// Package catalog knows the verifiers by name: what they are, what options they take, and how a spec becomes a judge.
package catalog

import (
	"slices"

	"github.com/provenir/provenir/services/verifier/code"
	"github.com/provenir/provenir/services/verifier/compose"
	"github.com/provenir/provenir/services/verifier/control"
	"github.com/provenir/provenir/services/verifier/env/replayed"
	"github.com/provenir/provenir/services/verifier/math"
	"github.com/provenir/provenir/services/verifier/plugin"
	"github.com/provenir/provenir/services/verifier/puzzle"
	"github.com/provenir/provenir/services/verifier/remote"
	"github.com/provenir/provenir/services/verifier/rules"
	"github.com/provenir/provenir/services/verifier/schema"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/text"
	"github.com/provenir/provenir/services/verifier/toolcall"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// entry is a verifier that can be compiled.
type entry struct {
	describe func() spec.Descriptor
	build    func(path string, v spec.Values) (verdict.Judge, error) // nil for those that need more than their options
}

var entries = map[string]entry{
	code.Name:    {describe: code.Descriptor},
	compose.Name: {describe: compose.Descriptor},
	math.Name: {math.Descriptor, func(path string, v spec.Values) (verdict.Judge, error) {
		return math.New(path, v)
	}},
	"exact_answer":        {text.ExactDescriptor, func(_ string, v spec.Values) (verdict.Judge, error) { return text.NewExact(v), nil }},
	control.Name:          {control.Descriptor, control.New},
	"contains":            {text.ContainsDescriptor, text.NewContains},
	"regex":               {text.RegexDescriptor, text.NewRegex},
	puzzle.CountdownName:  {puzzle.CountdownDescriptor, puzzle.NewCountdown},
	puzzle.RegexSynthName: {puzzle.RegexSynthDescriptor, puzzle.NewRegexSynth},
	replayed.Name:         {describe: replayed.Descriptor},
	plugin.Name:           {describe: plugin.Descriptor},
	remote.Name:           {describe: remote.Descriptor},
	rules.Name:            {rules.Descriptor, rules.New},
	schema.Name:           {schema.Descriptor, schema.New},
	toolcall.Name:         {toolcall.Descriptor, toolcall.New},
}

// planned are verifiers that are known and not in this build.
var planned []string

// Names are the verifiers of this build, sorted.
func Names() []string {
	out := make([]string, 0, len(entries))
	for n := range entries {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// Describe gives a verifier's table of options. The error is a *spec.UnknownVerifierError or *spec.NotAvailableError.
func Describe(name string) (spec.Descriptor, error) {
	if e, ok := entries[name]; ok {
		return e.describe(), nil
	}
	if slices.Contains(planned, name) {
		return spec.Descriptor{}, &spec.NotAvailableError{Name: name}
	}
	known := append(Names(), planned...)
	near := spec.Nearest(name, known)
	if len(near) == 0 {
		near = Names()
	}
	return spec.Descriptor{}, &spec.UnknownVerifierError{Name: name, Nearest: near}
}
