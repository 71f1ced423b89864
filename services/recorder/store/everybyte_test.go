package store

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"path"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk/powercut"
)

// caches are files that nothing is taken from without a check: what is wrong in them is made again.
func isCache(name string) bool {
	return strings.HasSuffix(name, ".idx") || strings.Contains(name, "/tile/")
}

// payloads reads all that a run says, log by log, and what is wrong with it.
func payloads(s *script) (said [4][]string, wrong error) {
	st, run, err := s.open()
	if err != nil {
		return said, err
	}
	defer st.Close()
	for _, kind := range ledger.Logs {
		if err := run.Log(kind).Broken(); err != nil && KindOf(err) != Sealed {
			wrong = err
		}
		for f, err := range run.Log(kind).Events(context.Background(), Query{}) {
			if err != nil {
				wrong = err
				break
			}
			said[kind] = append(said[kind], fmt.Sprintf("%d %s %x", f.Seq, f.Type, f.Stored))
		}
	}
	if _, err := run.SealNotes(); run.Sealed() && err != nil {
		wrong = err
	}
	return said, wrong
}

// damaged asks a verification of the folder.
func damaged(t *testing.T, files map[string][]byte) bool {
	t.Helper()
	folder := fstest.MapFS{}
	for name, b := range files {
		if rel, ok := strings.CutPrefix(name, "acme/run-1/"); ok {
			folder[rel] = &fstest.MapFile{Data: b}
		}
	}
	_, keys := testKeys(t)
	reports, err := ledger.VerifyRun(t.Context(), folder, ledger.VerifyOptions{Keys: keys})
	if err != nil {
		return true
	}
	for _, r := range reports {
		if !r.OK() || r.TornTail > 0 {
			return true
		}
	}
	return false
}

// full makes the sweeps of this package complete: every call and every byte instead of a sample, which takes minutes.
var full = flag.Bool("full", false, "sweep over every call of the disk and every byte of a run")

// sample names the bytes to change: more where structures begin and end than between.
func sample(n int) (at []int) {
	for i := 0; i < n; i++ {
		if edge := i < 220 || i >= n-220; *full || i%97 == 0 || edge && i%13 == 0 {
			at = append(at, i)
		}
	}
	return at
}

// One bit is wrong in any file of a run. A verification of the folder names it, and a recorder that takes the run up says
// something is wrong, or gives the very records that were written: nothing else, and never silently less.
func TestEveryByte(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		t.Run(fmt.Sprintf("sealed %v", sealed), func(t *testing.T) {
			s := &script{t: t, disk: powercut.New(), clock: clock.NewFake(time.Unix(1_700_000_000, 0))}
			if sealed {
				if err := s.play(); err != nil {
					t.Fatal(err)
				}
			} else {
				st, run, err := s.open()
				if err != nil {
					t.Fatal(err)
				}
				write(t, run, 0, 40)
				if err := st.Close(); err != nil {
					t.Fatal(err)
				}
			}
			files := s.disk.Files()
			want, wrong := payloads(s)
			if wrong != nil || damaged(t, files) || len(want[ledger.Events]) < 40 {
				t.Fatalf("undamaged: %v, %d events", wrong, len(want[ledger.Events]))
			}
			flips := 0
			for name, b := range files {
				for _, at := range sample(len(b)) {
					flips++
					everyByte(t, files, want, name, at)
				}
			}
			t.Logf("%d flips in %d files", flips, len(files))
		})
	}
}

func everyByte(t *testing.T, files map[string][]byte, want [4][]string, name string, at int) {
	t.Helper()
	d := powercut.From(files)
	d.Flip(name, at, 1<<(at%8))
	if strings.HasSuffix(name, "/"+ledger.HistoryFile) && files[name][at] == '\n' && bytes.LastIndex(files[name][:at], []byte("\n\nprovenir")) == bytes.LastIndex(files[name], []byte("\n\nprovenir")) {
		return // the last entry looks cut off, as a crash leaves it; the file `checkpoint` still has it, and recovery takes it from there
	}
	if next := at + 1; next < len(files[name]) && files[name][next] == '=' && (at%8 < 2) {
		return // the bits that base64 pads a signature with: it is the same signature
	}
	verifies := path.Base(name) != "epoch" && path.Base(name) != reserveFile && !strings.HasSuffix(name, ".idx")
	if verifies && !damaged(t, d.Files()) && !strings.Contains(name, "/tile/") {
		t.Errorf("%s, byte %d: the verification of the folder finds nothing", name, at)
	}
	if path.Base(name) == epochFile {
		if was, err := readEpoch(&Store{deps: Deps{Disk: d}}, "acme/run-1"); err == nil && was != 1+uint64(scriptRecords-1)/40 {
			t.Errorf("%s, byte %d: the fence is at %d, and nobody notices", name, at, was)
		}
	}
	said, wrong := payloads(&script{t: t, disk: d, clock: clock.NewFake(time.Unix(1_700_000_000, 0))})
	if wrong != nil {
		if isCache(name) {
			t.Errorf("%s, byte %d: a cache does harm: %v", name, at, wrong)
		}
		return
	}
	for _, kind := range ledger.Logs {
		if strings.Join(said[kind], "\n") != strings.Join(want[kind], "\n") {
			t.Errorf("%s, byte %d: log %s says something else, and nobody notices", name, at, kind)
		}
	}
}
