package export

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// records takes an event file apart and checks both sums of each record.
func records(t *testing.T, b []byte) [][]byte {
	t.Helper()
	var out [][]byte
	for len(b) > 0 {
		n := int(binary.LittleEndian.Uint64(b))
		if binary.LittleEndian.Uint32(b[8:]) != maskedCRC(b[:8]) || binary.LittleEndian.Uint32(b[12+n:]) != maskedCRC(b[12:12+n]) {
			t.Fatalf("a sum of record %d is wrong", len(out))
		}
		out = append(out, b[12:12+n])
		b = b[16+n:]
	}
	return out
}

// The sum of RFC 3720 B.4 (32 bytes of zeros) under TensorFlow's mask.
func TestMaskedCRC(t *testing.T) {
	c := uint32(0x8a9136aa)
	if got, want := maskedCRC(make([]byte, 32)), (c>>15|c<<17)+0xa282ead8; got != want {
		t.Errorf("%x, want %x", got, want)
	}
}

func TestTensorBoardFrames(t *testing.T) {
	got := records(t, write(t, "tensorboard", run()))
	if len(got) != 6 { // version, four steps, the note on times
		t.Fatalf("%d records", len(got))
	}
	num, typ, n := protowire.ConsumeTag(got[0])
	if num != eventWallTime || typ != protowire.Fixed64Type || n < 0 {
		t.Fatal("the first event has no wall time")
	}
	if bits, _ := protowire.ConsumeFixed64(got[0][n:]); math.Float64frombits(bits) != float64(began.Unix()) {
		t.Errorf("it begins at %v", math.Float64frombits(bits))
	}
	if !strings.Contains(string(got[0]), "brain.Event:2") || !strings.Contains(string(got[5]), "1 steps have no wall time") {
		t.Errorf("first %q, last %q", got[0], got[5])
	}
	if empty := records(t, write(t, "tensorboard", &Run{ID: "none", Points: all(nil)})); len(empty) != 1 {
		t.Errorf("a run without steps has %d records", len(empty))
	}
}

// Read by TensorBoard's own accumulator: `pip install tensorboard` into a venv and name its python in
// PROVENIR_TENSORBOARD_PYTHON.
func TestTensorBoardReadsIt(t *testing.T) {
	python := os.Getenv("PROVENIR_TENSORBOARD_PYTHON")
	if python == "" {
		t.Skip("PROVENIR_TENSORBOARD_PYTHON names no python with tensorboard: its reader was not asked")
	}
	dir := t.TempDir()
	f, err := Lookup("tensorboard")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, f.Filename("run-1")), write(t, "tensorboard", run()), 0o600); err != nil {
		t.Fatal(err)
	}
	const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
a = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "tensors": 0}); a.Reload()
out = {t: [[e.step, repr(e.value), e.wall_time] for e in a.Scalars(t)] for t in a.Tags()["scalars"]}
note = [bytes(x).decode() for t in a.Tags()["tensors"] for e in a.Tensors(t) for x in e.tensor_proto.string_val]
print(json.dumps({"scalars": out, "notes": note}))`
	out, err := exec.CommandContext(t.Context(), python, "-c", script, dir).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var got struct {
		Scalars map[string][][3]any
		Notes   []string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := map[string][][2]any{
		"reward.mean/batch_mean":           {{0.0, 0.1}, {1.0, "nan"}, {2.0, 1.0 / 3}},
		"attempt_1/reward.mean/batch_mean": {{1.0, -0.25}},
		"attempt_1/eval/reward.mean":       {{1.0, 0.75}},
		"optim.grad_norm":                  {{1.0, "inf"}},
		"attempt_1/optim.grad_norm":        {{1.0, "-inf"}},
		nasty:                              {{0.0, 7.0}},
	}
	if len(got.Scalars) != len(want) {
		t.Errorf("tags %v", got.Scalars)
	}
	for tag, points := range want {
		if len(got.Scalars[tag]) != len(points) {
			t.Errorf("%q has %v", tag, got.Scalars[tag])
			continue
		}
		for i, p := range points {
			step, text := got.Scalars[tag][i][0], got.Scalars[tag][i][1].(string)
			same := text == p[1]
			if x, isNumber := p[1].(float64); isNumber {
				var v float64
				same = json.Unmarshal([]byte(text), &v) == nil && float32(v) == float32(x)
			}
			if step != p[0] || !same {
				t.Errorf("%q point %d reads as %v, want %v", tag, i, got.Scalars[tag][i], p)
			}
		}
	}
	if w := got.Scalars["reward.mean/batch_mean"]; len(w) == 3 && (w[1][2] != float64(began.Unix())+1.5 || w[0][2] != float64(began.Unix())) {
		t.Errorf("wall times %v", w)
	}
	if len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "1 steps have no wall time") {
		t.Errorf("notes %q", got.Notes)
	}
}
