package verdict

import (
	"crypto/sha256"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"
)

var (
	judge   = sum("verifier")
	rollout = sum("rollout")
)

// everything has each part that a verdict can have, and texts that are hard to write.
func everything() *Verdict {
	v := Score("composite", Scored{Reward: .1 + .2, Passed: true, Reason: "accepted"}, Range{})
	v.Extracted = "a\xffb \u2028 <&> \"\\\b\f\n\r\t\x01 é 𝟙"
	v.Note("weak_extraction", Info, "last number")
	v.Note("multiple_answers", Warn, "3 boxed answers")
	v.Members = []Verdict{Unscore("regex", BadSpec, "why"), Fail("math", "different")}
	v.Members[1].Note("unit_missing", Info, "")
	v.Tests = []Test{{"test_a", "passed", ""}, {"test_b\x00", "failed", "want 3"}}
	return &v
}

func TestEvidenceIsCanonical(t *testing.T) {
	unscored := Unscore("math", Deadline, "late")
	tiny := Score("x", Scored{Reward: 1.5e-9, Passed: true, Reason: "r"}, Range{})
	huge := Score("x", Scored{Reward: 2e21, Passed: true, Reason: "r"}, Range{Hi: math.MaxFloat64})
	zero := Score("x", Scored{Reward: math.Copysign(0, -1), Reason: "r"}, Range{})
	for name, v := range map[string]*Verdict{"everything": everything(), "unscored": &unscored, "tiny": &tiny, "huge": &huge, "minus zero": &zero, "nobody filled in": {}} {
		t.Run(name, func(t *testing.T) {
			for _, digest := range [][]byte{rollout, nil} {
				doc := Evidence(v, &Candidate{Response: "a"}, judge, digest)
				if canonical, err := jcs.Transform(doc); err != nil || string(canonical) != string(doc) {
					t.Errorf("%v: %s\nwant %s", err, doc, canonical)
				}
			}
		})
	}
}

func TestEvidenceSaysWhatWasFound(t *testing.T) {
	var doc struct {
		Extracted string
		Findings  []struct{ Kind, Severity, Detail string }
		Input     map[string]string
		Members   []struct {
			Status, Reason, Detail string
			Findings               []struct{ Kind string }
		}
		Tests  []Test
		Reward float64
		Passed bool
	}
	if err := json.Unmarshal(Evidence(everything(), &Candidate{}, judge, rollout), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.Extracted, `a\xffb`) || len(doc.Findings) != 2 || doc.Findings[1].Severity != "warn" || len(doc.Input["rollout"]) != 64 ||
		len(doc.Members) != 2 || doc.Members[0].Reason != "bad_spec" || doc.Members[0].Detail != "why" || doc.Members[1].Findings[0].Kind != "unit_missing" ||
		len(doc.Tests) != 2 || doc.Tests[1] != (Test{"test_b\x00", "failed", "want 3"}) || doc.Reward != .1+.2 || !doc.Passed {
		t.Errorf("%+v", doc)
	}
}

func TestEvidenceRepeatsAndTellsInputsApart(t *testing.T) {
	v := Pass("math", "equal")
	of := func(c Candidate, rollout []byte) string { return string(Evidence(&v, &c, judge, rollout)) }
	c := Candidate{Response: "a\xffb", Row: Row{{"reference", []byte(`"1"`)}}}
	seen := map[string]string{}
	for name, doc := range map[string]string{
		"the candidate":    of(c, nil),
		"another response": of(Candidate{Response: "a\xfeb", Row: c.Row}, nil),
		"another row":      of(Candidate{Response: c.Response, Row: Row{{"reference", []byte(`"2"`)}}}, nil),
		"another column":   of(Candidate{Response: c.Response, Row: Row{{"references", []byte(`"1"`)}}}, nil),
		"a rollout":        of(c, rollout),
		"another rollout":  of(c, sum("other")),
	} {
		if other, twice := seen[doc]; twice {
			t.Errorf("%s and %s have the same evidence", name, other)
		}
		seen[doc] = name
	}
	if of(c, nil) != of(c, nil) {
		t.Error("evidence differs on a repeat")
	}
}

func BenchmarkEvidence(b *testing.B) {
	v := Pass("math", "equal")
	v.Extracted = "72"
	c := &Candidate{Response: "7+5=12, 4+2+1=7 #### 72"}
	for b.Loop() {
		sha256.Sum256(Evidence(&v, c, judge, rollout))
	}
}
