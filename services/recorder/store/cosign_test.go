package store

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/provenir/provenir/ledger"
)

func cosigned(t testing.TB, signed []byte) []byte {
	t.Helper()
	key := ed25519.NewKeyFromSeed([]byte(strings.Repeat("w", 32)))
	id, err := ledger.NewCosigner("witness.test", key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	both, err := ledger.Cosign(signed, id, key, time.Unix(1_700_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	return both
}

func TestACosignedCheckpointIsKept(t *testing.T) {
	r := newRig(t, Config{})
	run := r.run()
	write(t, run, 0, 30)
	l := run.Log(ledger.Events)
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, plain := l.Checkpoint()
	if Cosigned(plain) || !Cosigned(cosigned(t, plain)) {
		t.Fatal("a cosignature is not told from the recorder's own")
	}
	if kept, err := l.TakeCosigned(cosigned(t, plain)); !kept || err != nil {
		t.Fatalf("%v, %v", kept, err)
	}
	// The newest file is torn: the history has the cosignature too.
	if err := os.WriteFile(filepath.Join(r.root, "acme", "run-1", "events", ledger.CheckpointFile), plain[:20], 0o600); err != nil {
		t.Fatal(err)
	}
	run = r.restart()
	if _, note := run.Log(ledger.Events).Checkpoint(); !Cosigned(note) {
		t.Errorf("lost by a restart:\n%s", note)
	}
	check(t, run, 30)
}

// The log went on while somebody was asked: a checkpoint that is older than the newest would look like a rollback.
func TestACosignedCheckpointThatCameTooLateIsDropped(t *testing.T) {
	r := newRig(t, Config{})
	run := r.run()
	l := run.Log(ledger.Events)
	write(t, run, 0, 30)
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, old := l.Checkpoint()
	write(t, run, 30, 60)
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept, err := l.TakeCosigned(cosigned(t, old)); kept || err != nil {
		t.Errorf("%v, %v", kept, err)
	}
	check(t, r.restart(), 60)
}

func TestASealTakesCosignaturesOfItsOwnCheckpointsOnly(t *testing.T) {
	r := newRig(t, Config{})
	run := r.run()
	if err := run.TakeCosigned(nil); KindOf(err) != Invalid {
		t.Errorf("a run that is not sealed: %v", err)
	}
	write(t, run, 0, 30)
	notes, err := run.Seal(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	swapped := [][]byte{cosigned(t, notes[1]), cosigned(t, notes[0]), notes[2]}
	if err := run.TakeCosigned(swapped); KindOf(err) != Invalid {
		t.Errorf("checkpoints of other logs: %v", err)
	}
	if err := run.TakeCosigned([][]byte{cosigned(t, notes[0]), notes[1], notes[2]}); err != nil {
		t.Fatal(err)
	}
	run = r.restart()
	got, err := run.Seal(t.Context(), 0)
	if err != nil || !Cosigned(got[0]) || Cosigned(got[1]) {
		t.Errorf("%v\n%s", err, got)
	}
}
