package math

import (
	"errors"
	"fmt"
	"strings"

	"github.com/provenir/provenir/services/verifier/math/equal"
	"github.com/provenir/provenir/services/verifier/math/lex"
	"github.com/provenir/provenir/services/verifier/math/syntax"
	"github.com/provenir/provenir/services/verifier/text"
	"github.com/provenir/provenir/services/verifier/text/extract"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Verifier judges mathematical answers.
type Verifier struct {
	profile    extract.Profile
	readers    readers
	letters    string
	boxedFirst bool
	unscored   bool
	weak       bool
	worked     bool // form=number
	fields     verdict.Fields
	equality   equal.Options
}

// Judge reads the reference and the answer and compares them.
func (m *Verifier) Judge(c *verdict.Candidate) verdict.Verdict {
	golds, err := m.fields.References(c.Row)
	if err != nil {
		return verdict.Unscore(Name, verdict.BadReference, err.Error())
	}
	response, err := m.fields.Read(c)
	if err != nil {
		return verdict.Unscore(Name, verdict.BadRow, err.Error())
	}
	refs := make([]reference, len(golds))
	for i, g := range golds {
		if refs[i], err = m.reference(g); err != nil {
			return verdict.Unscore(Name, verdict.BadReference, fmt.Sprintf("reference %d, %q, does not parse: %v", i, shorten(g), err))
		}
	}
	found := extract.In(response, m.profile)
	found.BoxedFirst = m.boxedFirst
	s := search{m: m, refs: refs, reason: "no_answer", response: response}
	found.Each(s.look)
	v := s.verdict()
	text.NoteBoxes(&v, &found)
	return v
}

// search goes through the pieces of a response until one can be read.
type search struct {
	m        *Verifier
	refs     []reference
	response string
	reason   string
	piece    extract.Piece
	result   equal.Result
	matched  int
	read     bool
}

// look judges a piece and says whether to look further. The first piece that can be read is the answer; a text that
// reached a limit or looks like a program is one too, or a policy could hide an answer behind garbage.
func (s *search) look(p extract.Piece) bool {
	if p.Source == extract.Digits && !s.m.weak || !s.m.reads(p) {
		return true
	}
	if p.Source == extract.Digits && s.read && s.piece.Source == extract.Box && p.Start >= s.piece.Start && p.End <= s.piece.End {
		return true // \boxed{3 4 3} is a hedge that cannot be read; no number in it is the answer
	}
	t := strings.TrimSpace(p.Text)
	if t == "" { // an empty last box
		s.piece, s.reason = p, "no_answer"
		return false
	}
	reason, result, matched := s.m.judge(t, s.refs, p.Source)
	if reason == "unparsable_answer" {
		if !s.read {
			s.piece, s.reason = p, reason
			s.read = true
		}
		return true
	}
	if reason == "" { // prose that is no answer here
		return true
	}
	if reason != "equal" && p.Source == extract.Box && percentBehind(s.response[p.End:]) {
		if r, res, i := s.m.judge(t+`\%`, s.refs, p.Source); r == "equal" {
			reason, result, matched = r, res, i
		}
	}
	s.piece, s.reason, s.result, s.matched = p, reason, result, matched
	return false
}

// percentBehind says whether a percent sign follows a box: \boxed{50}\%.
func percentBehind(s string) bool {
	s = strings.TrimLeft(s, "}$ )")
	return strings.HasPrefix(s, `\%`) || strings.HasPrefix(s, "%") || strings.HasPrefix(s, "percent")
}

func (s *search) verdict() verdict.Verdict {
	var v verdict.Verdict
	switch {
	case s.reason == "equal":
		v = verdict.Pass(Name, s.reason)
	case s.reason == "undecided" && s.m.unscored:
		v = verdict.Unscore(Name, verdict.Undecided, "whether the answer equals the reference could not be decided")
	default:
		v = verdict.Fail(Name, s.reason)
	}
	v.Extracted = verdict.Printable(s.piece.Text)
	if s.result.UnitMissing {
		v.Note("unit_missing", verdict.Info, "one side has a unit and the other has none")
	}
	if s.result.DecimalComma {
		v.Note("decimal_comma", verdict.Info, "the comma was read as a decimal sign")
	}
	if s.piece.Source == extract.Digits {
		v.Note("weak_extraction", verdict.Info, "nothing but the last number was found")
	}
	if s.reason == "equal" && len(s.refs) > 1 {
		v.Note("matched_reference", verdict.Info, fmt.Sprintf("reference %d", s.matched))
	}
	return v
}

// judge compares one text with the references. An empty reason says that the text is prose.
func (m *Verifier) judge(t string, refs []reference, source extract.Source) (reason string, result equal.Result, matched int) {
	for i := range refs {
		switch refs[i].quick(t) {
		case equal.Equal:
			if m.worked && !refs[i].plain {
				continue // the tree says whether it is a number
			}
			return "equal", equal.Result{Outcome: equal.Equal}, i
		case equal.Different:
			if len(refs) == 1 {
				return "different", equal.Result{Outcome: equal.Different}, 0
			}
		}
	}
	answer, err := m.parse(t)
	if err != nil {
		return m.unread(t, err, refs)
	}
	if m.worked && !answer.Worked() {
		return "wrong_kind", equal.Result{Outcome: equal.WrongKind}, 0
	}
	prose := (source == extract.Full || source == extract.Line) && answer.Kind == syntax.Words && m.profile != extract.Whole
	best := equal.Result{}
	for i := range refs {
		node, err := refs[i].tree()
		if err != nil {
			continue // m.reference saw that it parses
		}
		if prose && node.Kind != syntax.Words {
			continue
		}
		r := equal.Compare(node, answer, m.equality)
		if r.Outcome == equal.Equal {
			return "equal", r, i
		}
		if best.Outcome == 0 {
			best, matched = r, i
		}
	}
	if best.Outcome == 0 {
		return "", best, 0
	}
	return outcomeReasons[best.Outcome], best, matched
}

var outcomeReasons = [...]string{
	equal.Different: "different", equal.WrongKind: "wrong_kind", equal.Undecided: "undecided", equal.TooLarge: "limit_exceeded",
}

// unread gives the reason of a text that does not parse. It still equals a reference of the same text.
func (m *Verifier) unread(t string, err error, refs []reference) (string, equal.Result, int) {
	var e *lex.Error
	if errors.As(err, &e) {
		switch e.Fault {
		case lex.TooLarge:
			return "limit_exceeded", equal.Result{}, 0
		case lex.CodeShaped:
			return "code_shaped", equal.Result{}, 0
		}
	}
	return "unparsable_answer", equal.Result{}, 0
}

// reads says whether one of the spec's readers looks at a piece.
func (m *Verifier) reads(p extract.Piece) bool {
	if m.readers.choice {
		return true
	}
	latex := p.Source == extract.Box || p.Source == extract.Delimited || strings.ContainsAny(p.Text, `\$`)
	return latex && m.readers.latex || !latex && m.readers.expr || p.Source == extract.Full && m.profile == extract.Whole
}

func (m *Verifier) parse(t string) (*syntax.Node, error) {
	if m.readers.choice {
		if c := m.choice(t); c != nil && (m.readers.choiceFirst || len(strings.TrimSpace(t)) <= 24) {
			return c, nil
		}
	}
	return syntax.Parse(t)
}

func shorten(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
