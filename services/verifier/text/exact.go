package text

import (
	"fmt"
	"strings"

	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/text/extract"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// FieldsOption is the option that renames columns; every verifier with a reference has it.
func FieldsOption() spec.Option {
	return spec.Option{Name: "fields", Type: spec.Record, Default: map[string]string{}, Allowed: []string{"reference", "response"},
		Doc: "columns of the row to read instead of reference and of the response"}
}

// FieldsOf reads that option.
func FieldsOf(v spec.Values) verdict.Fields {
	m := v.Record("fields")
	return verdict.Fields{Reference: m["reference"], Response: m["response"]}
}

// ExactDescriptor describes exact_answer.
func ExactDescriptor() spec.Descriptor {
	return spec.Descriptor{
		Name: "exact_answer", Summary: "the extracted answer equals the reference as text, or as a plain number",
		Options: []spec.Option{
			{Name: "profile", Type: spec.Choice, Allowed: extract.Profiles(), Default: string(extract.LastBoxed), Doc: "where in the response the answer stands"},
			{Name: "case", Type: spec.Choice, Allowed: []string{"fold", "exact"}, Default: "fold", Doc: "whether upper and lower case are the same"},
			{Name: "normalize", Type: spec.Choice, Allowed: []string{string(NormalizeText), string(NormalizeNumber), string(NormalizeNone)},
				Default: string(NormalizeText), Doc: "how far two spellings may differ"},
			FieldsOption(),
		},
	}
}

type exact struct {
	profile extract.Profile
	fold    bool
	norm    Normalisation
	fields  verdict.Fields
}

// NewExact makes an exact_answer verifier.
func NewExact(v spec.Values) verdict.Judge {
	return &exact{profile: extract.Profile(v.String("profile")), fold: v.String("case") == "fold",
		norm: Normalisation(v.String("normalize")), fields: FieldsOf(v)}
}

const exactName = "exact_answer"

// Judge compares the first piece that the profile finds with each reference.
func (e *exact) Judge(c *verdict.Candidate) verdict.Verdict {
	golds, err := e.fields.References(c.Row)
	if err != nil {
		return verdict.Unscore(exactName, verdict.BadReference, err.Error())
	}
	response, err := e.fields.Read(c)
	if err != nil {
		return verdict.Unscore(exactName, verdict.BadRow, err.Error())
	}
	found := extract.In(response, e.profile)
	answer := firstPiece(&found)
	clean := e.clean(answer)
	v := verdict.Fail(exactName, "different")
	if clean == "" {
		v = verdict.Fail(exactName, "no_answer")
	}
	for i, gold := range golds {
		want := e.reference(gold)
		if want == "" {
			return verdict.Unscore(exactName, verdict.BadReference, fmt.Sprintf("reference %d is empty after normalisation", i))
		}
		if same(want, clean, e.norm) {
			v = verdict.Pass(exactName, "equal")
			if len(golds) > 1 {
				v.Note("matched_reference", verdict.Info, fmt.Sprintf("reference %d", i))
			}
			break
		}
	}
	v.Extracted = verdict.Printable(answer)
	NoteBoxes(&v, &found)
	return v
}

// firstPiece takes the place that counts most. Here, unlike in math, nothing says that a piece cannot be read, so the
// first that is there is the answer, except that a formula within a short text is preferred to the text around it.
func firstPiece(found *extract.Found) string {
	var first, formula string
	var have bool
	found.Each(func(p extract.Piece) bool {
		switch {
		case !have:
			first, have = p.Text, true
			return p.Source == extract.Full
		case p.Source == extract.Delimited:
			formula = p.Text
			return false
		default:
			return p.Source == extract.Full
		}
	})
	if formula != "" {
		return formula
	}
	return first
}

// NoteBoxes adds what extraction noticed.
func NoteBoxes(v *verdict.Verdict, found *extract.Found) {
	if found.MultipleBoxes() {
		v.Note("multiple_answers", verdict.Info, fmt.Sprintf("%d boxed answers; the last counts", len(found.Boxes().Pieces)))
	}
	if found.Boxes().Unterminated {
		v.Note("unterminated_box", verdict.Info, "the last box ends with the text")
	}
}

func (e *exact) clean(s string) string {
	if e.norm == NormalizeNone {
		if e.fold {
			return strings.Map(foldRune, strings.TrimSpace(s))
		}
		return strings.TrimSpace(s)
	}
	return clean(s, e.fold)
}

// reference reads a gold by its own box or behind ####, else whole.
func (e *exact) reference(s string) string {
	if b := extract.FindBoxes(s, 0).Pieces; len(b) > 0 {
		return e.clean(b[len(b)-1].Text)
	}
	if i := strings.LastIndex(s, "####"); i >= 0 {
		s = s[i+len("####"):]
	}
	return e.clean(s)
}
