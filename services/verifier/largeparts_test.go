package verifier

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/blob"
)

func part(t testing.TB, s *blob.Store, media, content string) *corev1.BlobRef {
	t.Helper()
	d, size, err := s.Put(t.Context(), strings.NewReader(content), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &corev1.BlobRef{Digest: d[:], SizeBytes: uint64(size), MediaType: media}
}

func TestLargePartsAreFetched(t *testing.T) {
	blobs := blobsIn(t, t.TempDir())
	row := part(t, blobs, "application/json; charset=utf-8", `{"reference":"72","note":"`+strings.Repeat("x", 300<<10)+`"}`)
	answer := part(t, blobs, "text/plain", strings.Repeat("thinking ", 40<<10)+`\boxed{72}`)
	absent := &corev1.BlobRef{Digest: bytes.Repeat([]byte{1}, 32), SizeBytes: 4}
	short := proto.CloneOf(answer)
	short.SizeBytes--
	for _, tt := range []struct {
		name     string
		response string
		rowJSON  string
		parts    []*corev1.BlobRef
		passed   bool
		bad      string // in the detail of an unscored verdict
	}{
		{"row and answer", "", "", []*corev1.BlobRef{row, answer}, true, ""},
		{"more of the answer", "so ", `{"reference":"72"}`, []*corev1.BlobRef{answer}, true, ""},
		{"more of the row", `\boxed{72}`, `{"id":"a"}`, []*corev1.BlobRef{row}, true, ""},
		{"without the answer's part", "so", `{"reference":"72"}`, nil, false, ""},
		{"not in the store", "", "", []*corev1.BlobRef{absent}, false, "put it there first"},
		{"another size", "", "", []*corev1.BlobRef{short}, false, "not"},
		{"a short digest", "", "", []*corev1.BlobRef{{Digest: []byte{1}}}, false, "31 bytes, want 32"},
		{"a column twice", `\boxed{72}`, `{"reference":"72"}`, []*corev1.BlobRef{row}, false, `column "reference" already`},
		{"a row that is no object", "", "", []*corev1.BlobRef{part(t, blobs, "application/json", `[1]`)}, false, "not a JSON object"},
		{"a key twice", "", "", []*corev1.BlobRef{part(t, blobs, "application/json", `{"a":1,"a":2}`)}, false, "not a JSON object"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := serve(t, Config{}, Deps{Blobs: blobs})
			got, err := c.Verify(t.Context(), &verifierv1.VerifyRequest{Spec: specFor(t, "exact_answer", nil),
				Candidate: &verifierv1.Candidate{Response: []byte(tt.response), RowJson: []byte(tt.rowJSON), Blobs: tt.parts}})
			if err != nil {
				t.Fatal(err)
			}
			u := got.GetVerdict().GetUnscored()
			bad := tt.bad
			if tt.name == "a short digest" {
				bad = "1 bytes, want 32"
			}
			if got.GetVerdict().GetScored().GetPassed() != tt.passed || (u != nil) != (bad != "") || u != nil && !strings.Contains(u.GetDetail(), bad) {
				t.Errorf("%v", got.GetVerdict())
			}
		})
	}
}

// A rollout with parts elsewhere is judged with them, or not at all.
func TestARolloutWithLargeParts(t *testing.T) {
	blobs := blobsIn(t, t.TempDir())
	ref := part(t, blobs, "text/plain", `\boxed{72}`)
	var r corev1.Rollout
	if err := proto.Unmarshal(rollout(t, "a", "so ", "72"), &r); err != nil {
		t.Fatal(err)
	}
	r.Blobs = []*corev1.BlobRef{ref}
	b, err := proto.Marshal(&r)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := serve(t, Config{}, Deps{Blobs: blobs})
	if v := pumped(t, c, "run", b)[0]; !v.GetScored().GetPassed() {
		t.Errorf("%v", v)
	}
	without, _ := serve(t, Config{}, Deps{})
	if v := pumped(t, without, "run", b)[0]; v.GetUnscored().GetReason() != corev1.UnscoredReason_UNSCORED_REASON_BAD_ROW {
		t.Errorf("%v", v)
	}
}
