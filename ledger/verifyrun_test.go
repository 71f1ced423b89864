package ledger_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/provenir/provenir/ledger"
)

// runFolder puts a log in the place of events, sealed by its own newest checkpoint.
func runFolder(t testing.TB, records int) fstest.MapFS {
	t.Helper()
	run := fstest.MapFS{}
	log := buildLog(t, logSpec{records: records})
	for name, f := range log {
		run["events/"+name] = f
	}
	var seal []byte
	for range ledger.Logs {
		seal = ledger.AppendHistory(seal, log[ledger.CheckpointFile].Data)
	}
	run[ledger.SealFile] = &fstest.MapFile{Data: seal}
	return run
}

func TestVerifyRun(t *testing.T) {
	_, keys := testKey(t, "recorder.test")
	tests := []struct {
		name   string
		attack func(run fstest.MapFS)
		kind   ledger.DamageKind // empty for none
	}{
		{"whole", func(fstest.MapFS) {}, ""},
		{"not sealed", func(run fstest.MapFS) { delete(run, ledger.SealFile) }, ""},
		{"shortened with its checkpoints", func(run fstest.MapFS) {
			for name, f := range runFolder(t, 20) {
				if name != ledger.SealFile {
					run[name] = f
				}
			}
		}, ledger.TruncatedFile},
		{"rewritten with its checkpoints", func(run fstest.MapFS) {
			for name, f := range buildLog(t, logSpec{records: 30, payload: func(i int) []byte { return []byte{byte(i)} }}) {
				run["events/"+name] = f
			}
		}, ledger.HistoryRewritten},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			run := runFolder(t, 30)
			tt.attack(run)
			reports, err := ledger.VerifyRun(t.Context(), run, ledger.VerifyOptions{Keys: keys})
			if err != nil || len(reports) != 1 {
				t.Fatalf("%d reports, %v", len(reports), err)
			}
			if r := reports[0]; r.OK() != (tt.kind == "") || tt.kind != "" && !r.Has(tt.kind) {
				t.Errorf("damages %v, want %q", r.Damages, tt.kind)
			}
		})
	}
	run := runFolder(t, 5)
	run[ledger.SealFile].Data = run[ledger.SealFile].Data[:50]
	if _, err := ledger.VerifyRun(t.Context(), run, ledger.VerifyOptions{}); !errors.Is(err, ledger.ErrCheckpoint) {
		t.Errorf("damaged seal: %v", err)
	}
	if _, err := ledger.VerifyRun(t.Context(), fstest.MapFS{}, ledger.VerifyOptions{}); !errors.Is(err, ledger.ErrNoLog) {
		t.Errorf("empty folder: %v", err)
	}
}

// A log of which only checkpoints are left is damage, whether its own or the seal's speak of records.
func TestVerifyRunWithoutALog(t *testing.T) {
	_, keys := testKey(t, "recorder.test")
	for _, tt := range []struct {
		name   string
		keep   string // of the log
		sealed bool
		want   bool
	}{{"its checkpoint is left", ledger.CheckpointFile, false, true}, {"the seal is left", "", true, true}, {"nothing is left", "", false, false}} {
		t.Run(tt.name, func(t *testing.T) {
			run := retiredRun(t)
			findings := run["findings/"+ledger.CheckpointFile].Data
			for name := range run {
				if strings.HasPrefix(name, "findings/") && (tt.keep == "" || name != "findings/"+tt.keep) {
					delete(run, name)
				}
			}
			for name := range run { // what events lacks is not the question here
				if strings.HasPrefix(name, "events/") {
					delete(run, name)
				}
			}
			for name, f := range buildLog(t, logSpec{records: 30}) {
				run["events/"+name] = f
			}
			if tt.sealed {
				events := run["events/"+ledger.CheckpointFile].Data
				run[ledger.SealFile] = &fstest.MapFile{Data: ledger.AppendHistory(ledger.AppendHistory(ledger.AppendHistory(nil, events), findings), events)}
			}
			reports, err := ledger.VerifyRun(t.Context(), run, ledger.VerifyOptions{Keys: keys})
			if err != nil {
				t.Fatal(err)
			}
			named := false
			for _, r := range reports {
				named = named || r.Log == ledger.Findings && r.Has(ledger.MissingSegment)
			}
			if named != tt.want {
				t.Errorf("%d reports, named %v, want %v", len(reports), named, tt.want)
			}
		})
	}
}
