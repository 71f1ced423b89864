package verifier

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
)

// reference is readRollout by way of the generated code.
func decoded(t testing.TB, b []byte) (id, response string, tokens int, row map[string]string) {
	t.Helper()
	var r corev1.Rollout
	if err := proto.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	row = map[string]string{}
	for _, c := range r.GetColumns() {
		row[c.GetKey()] = string(c.GetJson())
	}
	for _, s := range r.GetSegments() {
		if s.GetKind() == corev1.SegmentKind_SEGMENT_KIND_MODEL {
			response += string(s.GetText())
			if s.GetTokenTo() > s.GetTokenFrom() {
				tokens += int(s.GetTokenTo() - s.GetTokenFrom())
			}
		}
	}
	return r.GetRolloutId(), response, tokens, row
}

func TestReadRolloutAgreesWithTheGeneratedCode(t *testing.T) {
	model, tool := corev1.SegmentKind_SEGMENT_KIND_MODEL, corev1.SegmentKind_SEGMENT_KIND_TOOL
	tests := []struct {
		name string
		r    *corev1.Rollout
	}{
		{"empty", &corev1.Rollout{}},
		{"one turn", &corev1.Rollout{RolloutId: "a", Segments: []*corev1.Segment{{Kind: model, Text: []byte("x"), TokenFrom: 3, TokenTo: 7}}}},
		{"empty answer", &corev1.Rollout{RolloutId: "a", Segments: []*corev1.Segment{{Kind: model}}}},
		{"turns with a tool between", &corev1.Rollout{RolloutId: "a", Segments: []*corev1.Segment{
			{Kind: model, Text: []byte("x\xff")}, {Kind: tool, Text: []byte("no")}, {Kind: model, Text: []byte("y")}}}},
		{"everything", &corev1.Rollout{RolloutId: "a", GroupId: "g", TaskHash: []byte{1}, Step: 1 << 40, Tokens: bytes.Repeat([]byte{7}, 99),
			Sampling: &corev1.SamplingParams{Temperature: .7}, Policy: []*corev1.PolicySpan{{Version: 3, To: 9}}, StopReason: "eos", Turns: 2, Branch: 1, Stage: 2,
			Segments: []*corev1.Segment{{Kind: model, Text: []byte("z")}}, Columns: []*corev1.Column{{Key: "a", Json: []byte("1")}, {Key: "b", Json: []byte(`"2"`)}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := proto.Marshal(tt.r)
			if err != nil {
				t.Fatal(err)
			}
			id, response, tokens, row := decoded(t, b)
			c, _, err := readRollout(b)
			if err != nil || c.ID != id || c.Response != response || c.Tokens != tokens || len(c.Row) != len(row) {
				t.Fatalf("%+v, %v; want %s %q %d %v", c, err, id, response, tokens, row)
			}
			for _, f := range c.Row {
				if row[f.Key] != string(f.JSON) {
					t.Errorf("column %s is %s, want %s", f.Key, f.JSON, row[f.Key])
				}
			}
		})
	}
}

func FuzzReadRollout(f *testing.F) {
	f.Add(rollout(f, "r", "#### 7", "7"))
	f.Add([]byte{0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, _, err := readRollout(b)
		var r corev1.Rollout
		if proto.Unmarshal(b, &r) != nil || err != nil {
			return
		}
		// merged sub-messages and repeated scalars aside, both readers see one id
		if r.GetRolloutId() != c.ID {
			t.Fatalf("%q, want %q", c.ID, r.GetRolloutId())
		}
	})
}

func BenchmarkReadRollout(b *testing.B) {
	raw := rollout(b, "run-1-2-3", "Some working, then #### 72", "72")
	for b.Loop() {
		if _, _, err := readRollout(raw); err != nil {
			b.Fatal(err)
		}
	}
}
