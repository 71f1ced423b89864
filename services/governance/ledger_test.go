package governance

import (
	"crypto/sha256"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
)

func checkpointOf(doc map[string]any, i int) map[string]any {
	return doc["ledger"].(map[string]any)["checkpoints"].([]any)[i].(map[string]any)
}

// A document whose checkpoints do not prove this run is refused, whoever sends it.
func TestALedgerThatDoesNotVerifyIsNotSealed(t *testing.T) {
	root := ledger.Hash(sha256.Sum256([]byte("events")))
	for _, c := range []struct {
		name   string
		change func(*rig, map[string]any)
	}{
		{"another size than the note's", func(_ *rig, d map[string]any) { checkpointOf(d, 0)["size"] = 11 }},
		{"another root than the note's", func(_ *rig, d map[string]any) { checkpointOf(d, 0)["root"] = "sha256:" + strings.Repeat("0", 64) }},
		{"a changed note", func(_ *rig, d map[string]any) {
			n := checkpointOf(d, 0)
			n["note"] = strings.Replace(n["note"].(string), "\n10\n", "\n11\n", 1)
			n["size"] = 11
		}},
		{"a note of another run", func(r *rig, d map[string]any) {
			checkpointOf(d, 0)["note"] = r.note("default", "another", ledger.Events, 10, root)
		}},
		{"a note of another tenant", func(r *rig, d map[string]any) {
			checkpointOf(d, 0)["note"] = r.note("acme", run, ledger.Events, 10, root)
		}},
		{"a note of another log", func(r *rig, d map[string]any) {
			checkpointOf(d, 0)["note"] = r.note("default", run, ledger.Timing, 10, root)
		}},
		{"one log twice", func(_ *rig, d map[string]any) {
			d["ledger"].(map[string]any)["checkpoints"].([]any)[1] = checkpointOf(d, 0)
		}},
		{"a log that is none", func(_ *rig, d map[string]any) { checkpointOf(d, 0)["log"] = "LOG_OTHER" }},
		{"another key", func(_ *rig, d map[string]any) {
			_, vkey, err := note.GenerateKey(nil, "provenir.dev/recorder")
			if err != nil {
				t.Fatal(err)
			}
			d["ledger"].(map[string]any)["vkey"] = vkey
		}},
		{"no key", func(_ *rig, d map[string]any) { d["ledger"].(map[string]any)["vkey"] = "" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			doc := r.doc()
			c.change(r, doc)
			req := r.request()
			req.Document = r.encode(doc)
			if _, err := r.seal(req); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_LEDGER_INCONSISTENT) {
				t.Errorf("%v", err)
			}
			r.nothingLeft()
		})
	}
}
