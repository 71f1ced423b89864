// Package math judges mathematical answers: it finds the answer in a response, reads it without evaluating anything, and
// decides whether it is the reference.
package math

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provenir/provenir/services/verifier/math/equal"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/text"
	"github.com/provenir/provenir/services/verifier/text/extract"
)

// Name is the verifier's name in specs.
const Name = "math"

// Descriptor describes math. Names and meanings of extract, boxed_first, strict, float_rounding, numeric_precision and
// allow_set_relation are those of huggingface/Math-Verify, so that a configuration moves without surprises.
func Descriptor() spec.Descriptor {
	return spec.Descriptor{
		Name: Name, Summary: "the answer equals the reference as mathematics: LaTeX, exact arithmetic, 256-bit probing",
		Options: []spec.Option{
			{Name: "profile", Type: spec.Choice, Allowed: extract.Profiles(), Default: string(extract.LastBoxed), Doc: "where in the response the answer stands"},
			{Name: "extract", Type: spec.Text, Default: "latex+expr", Doc: "readers in order of preference, joined by +: latex, expr, string (choices)"},
			{Name: "choices", Type: spec.Text, Default: "ABCDEFGHIJ", Doc: "letters of multiple choice, for the reader string"},
			{Name: "boxed_first", Type: spec.Flag, Default: true, Doc: "of group_boxed: boxes come before any anchor"},
			{Name: "strict", Type: spec.Flag, Default: true, Doc: "names of variables matter, and a set is not a tuple"},
			{Name: "float_rounding", Type: spec.Integer, Min: 0, Max: 30, Default: int64(6), Doc: "decimals that count where a side has a decimal point"},
			{Name: "numeric_precision", Type: spec.Integer, Min: 1, Max: 30, Default: int64(15), Doc: "digits that count where a decimal stands in an expression with variables"},
			{Name: "allow_set_relation", Type: spec.Flag, Default: false, Doc: "a relation may answer a reference that is an interval or a set"},
			{Name: "percent", Type: spec.Choice, Allowed: []string{"strict", "either"}, Default: "strict", Doc: "strict: 50% is 1/2; either: also 50"},
			{Name: "undecided", Type: spec.Choice, Allowed: []string{"fail", "unscored"}, Default: "fail", Doc: "what becomes of an equality that cannot be decided"},
			{Name: "tolerance", Type: spec.Number, Min: 0, Max: 1, Default: 0.0, Doc: "relative tolerance of numbers that are not integers; 0 for none"},
			{Name: "form", Type: spec.Choice, Allowed: []string{"any", "number"}, Default: "any",
				Doc: "number: only a number that is worked out is an answer; an echo of the question, 47+25, is none"},
			{Name: "weak", Type: spec.Flag, Default: true, Doc: "the last number of a response counts where nothing better is found"},
			text.FieldsOption(),
		},
	}
}

// readers are the parts of extract.
type readers struct{ latex, expr, choice, choiceFirst bool }

func parseReaders(path, s string) (readers, error) {
	var r readers
	for i, name := range strings.Split(s, "+") {
		switch name {
		case "latex":
			r.latex = true
		case "expr":
			r.expr = true
		case "string":
			r.choice, r.choiceFirst = true, i == 0
		default:
			return r, &spec.BadSpecError{Path: path, Field: "extract", Value: fmt.Sprintf("%q", s), Allowed: "latex, expr and string, joined by +"}
		}
	}
	return r, nil
}

// New makes a math verifier. The error is a *spec.BadSpecError.
func New(path string, v spec.Values) (*Verifier, error) {
	r, err := parseReaders(path, v.String("extract"))
	if err != nil {
		return nil, err
	}
	letters := []byte(strings.ToUpper(v.String("choices")))
	slices.Sort(letters)
	if r.choice && (len(letters) < 2 || len(slices.Compact(slices.Clone(letters))) != len(letters) || strings.Trim(string(letters), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		return nil, &spec.BadSpecError{Path: path, Field: "choices", Value: fmt.Sprintf("%q", v.String("choices")), Allowed: "at least two different letters"}
	}
	tolerance, _ := v.Number("tolerance")
	return &Verifier{
		profile: extract.Profile(v.String("profile")), readers: r, letters: string(letters), boxedFirst: v.Flag("boxed_first"),
		unscored: v.String("undecided") == "unscored", weak: v.Flag("weak"), worked: v.String("form") == "number", fields: text.FieldsOf(v),
		equality: equal.Options{
			Strict: v.Flag("strict"), FloatRounding: int(v.Int("float_rounding")), NumericPrecision: int(v.Int("numeric_precision")),
			SetRelation: v.Flag("allow_set_relation"), PercentEither: v.String("percent") == "either", Tolerance: tolerance,
		},
	}, nil
}
