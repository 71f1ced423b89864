// Package chaos kills a mesh at every named point of a run, starts it again on the same data, and compares the ledger's
// root with that of a run that nobody disturbed: nothing lost, nothing doubled, nothing else.
package chaos

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/mesh/meshtest"
)

const (
	seed  = 5
	steps = 6
)

// perPoint is how many passes of each point are tried: the first, the last, and some between.
func perPoint() int {
	if testing.Short() {
		return 1
	}
	return 24
}

func passes(hits int) []int {
	n := min(hits, perPoint())
	var out []int
	for i := range n {
		out = append(out, 1+i*(hits-1)/max(1, n-1))
	}
	return slices.Compact(out)
}

func TestKilledAnywhereTheRootIsTheSame(t *testing.T) {
	count := faultline.New("", 0, nil)
	calm, dir := meshtest.Undisturbed(t, seed, steps, count)
	records := events(t, dir, calm.GetUid())
	points := count.Hits()
	if len(points) < 15 {
		t.Fatalf("only %d points were passed: %v", len(points), points)
	}
	kills := 0
	for _, p := range slices.SortedFunc(maps.Keys(points), func(a, b faultline.Point) int { return cmp.Compare(a, b) }) {
		for _, n := range passes(points[p]) {
			kills++
			t.Run(fmt.Sprintf("%s#%d", p, n), func(t *testing.T) { killAt(t, p, n, calm, records) })
		}
	}
	t.Logf("%d kills at %d points", kills, len(points))
}

func killAt(t *testing.T, p faultline.Point, n int, calm *orchestratorv1.Run, records []ledger.Frame) {
	dir := t.TempDir()
	killed := make(chan struct{})
	line := faultline.New(p, n, func() error { close(killed); return nil })
	uid := live(t, dir, line, killed)
	if uid == "" { // killed before the run was written down
		return
	}
	m, conn, err := meshtest.Start(t.Context(), dir, nil, t.Output())
	if err != nil {
		t.Fatalf("start again: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	run, err := meshtest.Wait(ctx, conn, uid)
	if stop := errors.Join(conn.Close(), m.Stop()); err != nil || stop != nil {
		t.Fatalf("after the restart: %v, %v", err, stop)
	}
	if run.GetState() != orchestratorv1.RunState_RUN_STATE_SUCCEEDED {
		t.Fatalf("the run is %s after the restart: %v", run.GetState(), run.GetFailure())
	}
	if !bytes.Equal(run.GetEventsRoot(), calm.GetEventsRoot()) {
		t.Errorf("root %x, undisturbed %x: %s", run.GetEventsRoot(), calm.GetEventsRoot(), firstDifference(events(t, dir, uid), records))
	}
	if !bytes.Equal(run.GetChain(), calm.GetChain()) {
		t.Errorf("chain %x, undisturbed %x", run.GetChain(), calm.GetChain())
	}
	verify(t, dir, uid)
}

// live runs until the line kills, then stops what is left of the process.
func live(t *testing.T, dir string, line *faultline.Line, killed <-chan struct{}) string {
	t.Helper()
	m, conn, err := meshtest.Start(t.Context(), dir, line, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	spec, err := meshtest.Spec(t.Context(), conn, seed, steps)
	if err != nil {
		t.Fatal(err)
	}
	uid, err := meshtest.Create(t.Context(), conn, spec)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := meshtest.Wait(t.Context(), conn, uid)
		ended <- err
	}()
	select {
	case <-killed:
	case err := <-ended:
		// How often a log is synced depends on timing: the run may end before the last of the syncs that were counted.
		if err != nil {
			t.Errorf("the run was not killed and cannot be watched: %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("neither killed nor ended")
	}
	// A dead process does nothing more; this one is stopped, and every point it passes on the way answers "killed".
	_ = conn.Close()
	_ = m.Stop()
	return uid
}

// verify reads the ledger as a stranger would.
func verify(t *testing.T, dir, uid string) {
	t.Helper()
	vkey, err := os.ReadFile(filepath.Join(dir, "keys", "ledger.vkey"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(string(bytes.TrimSpace(vkey)))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []string{"events", "findings", "timing"} {
		r, err := ledger.Verify(t.Context(), os.DirFS(filepath.Join(dir, "ledger", "default", uid, l)), ledger.VerifyOptions{Keys: note.VerifierList(v)})
		if err != nil {
			t.Errorf("%s: %v", l, err)
		} else if !r.OK() {
			t.Errorf("%s is damaged: %v", l, r.Damages)
		}
	}
}
