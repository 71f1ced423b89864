package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	"github.com/provenir/provenir/ledger"
)

// events reads the records of a run whose log fits into one segment.
func events(t *testing.T, dir, uid string) []ledger.Frame {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "ledger", "default", uid, "events", "00000000.seg"))
	if err != nil {
		t.Fatal(err)
	}
	var out []ledger.Frame
	for off := ledger.HeaderSize; off < len(b); {
		f, n, err := ledger.DecodeFrame(b[off:])
		if err != nil || f.IsTrailer() {
			break
		}
		out = append(out, f)
		off += n
	}
	return out
}

// firstDifference names the first record in which two runs differ.
func firstDifference(a, b []ledger.Frame) string {
	for i := range min(len(a), len(b)) {
		if a[i].Digest != b[i].Digest || a[i].Type != b[i].Type {
			return fmt.Sprintf("record %d: type %d %s, undisturbed type %d %s", i, a[i].Type, text(a[i]), b[i].Type, text(b[i]))
		}
	}
	return fmt.Sprintf("%d records, undisturbed %d", len(a), len(b))
}

// text shows the records that gates are made from.
func text(f ledger.Frame) string {
	var m proto.Message
	switch f.Type {
	case 7:
		m = &evaluatorv1.Evaluation{}
	case 8:
		m = &orchestratorv1.GateDecision{}
	default:
		return ""
	}
	if err := proto.Unmarshal(f.Stored, m); err != nil {
		return err.Error()
	}
	return protojson.Format(m)
}
