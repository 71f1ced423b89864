package verifier

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/blob"
)

func TestStreamOf(t *testing.T) {
	long := bytes.Repeat([]byte("é"), maxKept)
	for name, tt := range map[string]struct {
		in   []byte
		text int // bytes of text
		raw  int
		cut  bool
	}{
		"text": {[]byte("a"), 1, 0, false}, "nothing": {nil, 0, 0, false}, "bytes": {[]byte("a\xff"), 0, 2, false},
		"long": {long, maxKept, 0, true}, "long, cut in a rune": {append([]byte("a"), long...), maxKept - 1, 0, true},
		"long bytes": {bytes.Repeat([]byte("\xff"), maxKept+1), 0, maxKept - 3, true},
	} {
		if s := streamOf(tt.in); len(s.Text) != tt.text || len(s.Bytes) != tt.raw || s.Cut != tt.cut {
			t.Errorf("%s: %d bytes of text, %d others, cut %v", name, len(s.Text), len(s.Bytes), s.Cut)
		}
	}
}

// What a program printed is stored beside its verdict, in the pump of a run too, and is no part of its evidence.
func TestOutputIsStored(t *testing.T) {
	c, s := serve(t, Config{}, Deps{Blobs: blobsIn(t, t.TempDir())})
	isolated(t, c)
	stream, _ := open(t.Context(), t, c, &verifierv1.OpenVerify{Protocol: 1, RunId: "run", Spec: specFor(t, "code", nil), Deadline: durationpb.New(30 * time.Second)})
	source := "import time\nprint('said', time.time_ns(), flush=True)\ndef f(x): return x + 1"
	row := map[string]any{"tests": "assert f(1) == 2", "entry_point": "f"}
	if err := stream.Send(items(programRollout(t, "a", source, row), programRollout(t, "b", "def f(x): return x + 1", row))); err != nil {
		t.Fatal(err)
	}
	got, _ := collect(t, stream, 2, 0)
	ref := got[1].GetMeasured().GetOutput()
	d, err := blob.ParseDigest(ref.GetDigest())
	if err != nil {
		t.Fatal(got[1].GetMeasured(), err)
	}
	if err := s.evidence.Sync(); err != nil {
		t.Fatal(err)
	}
	b, err := s.blobs.Read(t.Context(), d, 1<<20)
	var said output
	if err != nil || json.Unmarshal(b, &said) != nil || !bytes.HasPrefix([]byte(said.Stdout.Text), []byte("said ")) || uint64(len(b)) != ref.GetSizeBytes() {
		t.Errorf("%s, %v", b, err)
	}
	if got[2].GetMeasured().GetOutput() != nil {
		t.Errorf("a program that prints nothing has an output: %v", got[2].GetMeasured())
	}
}
