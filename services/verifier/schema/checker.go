package schema

import (
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Checker holds values against one schema, for verifiers that read JSON by their own rules.
type Checker struct{ whole *jsonschema.Schema }

// NewChecker compiles a schema. The error is a *spec.SchemaError.
func NewChecker(path string, raw []byte) (*Checker, error) {
	c, err := compile(path, raw, false)
	if err != nil {
		return nil, err
	}
	return &Checker{whole: c.whole}, nil
}

// Violation is a rule that a value breaks.
type Violation struct {
	Rule   Rule
	Detail string // the place and the rule in words
}

// Rule is the kind of a violation.
type Rule string

// The rules that callers tell apart.
const (
	Missing    Rule = "missing"    // a required key is not there
	Unexpected Rule = "unexpected" // a key that the schema does not know
	Type       Rule = "type"
	Value      Rule = "value" // any other rule
)

// Check gives what a decoded value breaks, in an order that repeats; nothing for a valid one. Numbers are json.Number.
func (c *Checker) Check(v any) []Violation {
	err := c.whole.Validate(v)
	if err == nil {
		return nil
	}
	invalid, ok := err.(*jsonschema.ValidationError) //nolint:errorlint // Validate gives no other
	if !ok {
		return []Violation{{Value, err.Error()}}
	}
	p := message.NewPrinter(language.English)
	var out []Violation
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if len(e.Causes) > 0 {
			for _, cause := range e.Causes {
				walk(cause)
			}
			return
		}
		rule := Value
		switch e.ErrorKind.(type) {
		case *kind.Required:
			rule = Missing
		case *kind.AdditionalProperties, *kind.FalseSchema:
			rule = Unexpected
		case *kind.Type:
			rule = Type
		}
		out = append(out, Violation{rule, "/" + strings.Join(e.InstanceLocation, "/") + ": " + e.ErrorKind.LocalizedString(p)})
	}
	walk(invalid)
	slices.SortFunc(out, func(a, b Violation) int { return strings.Compare(a.Detail, b.Detail) })
	return out
}
