package spec

import (
	"errors"

	"github.com/provenir/provenir/internal/spectext"
)

// ParseText reads name or name:option=value,option="value, with commas", as [spectext.Parse] does. Options stay texts: what
// they mean is the verifier's to say. The error is a *BadSpecError.
func ParseText(text string) (Spec, error) {
	name, options, err := spectext.Parse(text)
	var bad *spectext.Error
	if errors.As(err, &bad) {
		return Spec{}, &BadSpecError{Path: bad.Spec, Field: bad.Field, Value: bad.Value, Allowed: bad.Allowed}
	}
	s := Spec{Name: name}
	if options != nil {
		s.Options = make(map[string]any, len(options))
	}
	for option, v := range options {
		s.Options[option] = v.Text
	}
	return s, err
}

func isName(s string) bool { return spectext.IsName(s) }
