package recorder

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/grpctest"
	"github.com/provenir/provenir/internal/rpc"
)

const trackedRun = "g6h19s46h7v7tbftq8wmc85198"

// trackedRows are a run of steps as a tracker sends it; kl gives the KL of a step.
func trackedRows(steps int, kl func(int) float64) []string {
	rows := []string{`{"seq":0,"type":"open","format":"provenir.track/v1","run":"` + trackedRun + `","epoch":5,"name":"n","method":"grpo"}`,
		`{"seq":1,"type":"config","config":{"lr":1e-6}}`}
	for i := range steps {
		rows = append(rows, fmt.Sprintf(`{"seq":%d,"type":"step","step":%d,"metrics":{"kl":%g,"entropy":1.5}}`, i+2, i, kl(i)))
	}
	return append(rows, fmt.Sprintf(`{"seq":%d,"type":"close","outcome":"completed"}`, steps+2))
}

// person is a caller of the mesh that is none of its roles.
func (r *rig) person() recorderv1.RecorderServiceClient {
	return recorderv1.NewRecorderServiceClient(grpctest.ServeAs(r.t, grpctest.Token, r.service.Register))
}

func track(c recorderv1.RecorderServiceClient, epoch uint64, rows ...string) (*recorderv1.AppendBatchResponse, error) {
	return c.AppendBatch(context.Background(), &recorderv1.AppendBatchRequest{Run: trackedRun, Epoch: epoch, Log: recorderv1.Log_LOG_EVENTS, Rows: rows})
}

func (r *rig) treeOf(run string) string {
	r.t.Helper()
	got, err := r.client.GetCheckpoint(r.t.Context(), &recorderv1.GetCheckpointRequest{Run: run})
	if err != nil {
		r.t.Fatal(err)
	}
	return fmt.Sprintf("%d %x", got.GetCheckpoint().GetSize(), got.GetCheckpoint().GetRoot())
}

// Rows in one batch, in small ones, repeated, and over a restart end with one root; the run is judged on the way and sealed
// by its last row, and repeating all of it changes nothing.
func TestRows(t *testing.T) {
	rows := trackedRows(60, blowup(40))
	roots := map[string]bool{}
	for _, size := range []int{1000, 7, 1} {
		r := newRig(t).start()
		c := r.person()
		var found int
		for at := 0; at < len(rows); at += size {
			batch := rows[at:min(at+size, len(rows))]
			got, err := track(c, 5, batch...)
			if err != nil {
				t.Fatal(err)
			}
			found += len(got.GetFindings())
			if size == 7 && at == 21 { // the answer was lost, and then the recorder
				if got, err = track(c, 5, batch...); err != nil || got.GetNextSeq() != uint64(at+size) {
					t.Fatalf("%v, next %d", err, got.GetNextSeq())
				}
				r.stop()
				r.start()
				c = r.person()
			}
		}
		if found == 0 {
			t.Errorf("batches of %d: the blow-up of KL was not told", size)
		}
		sum, err := c.GetRunSummary(t.Context(), &recorderv1.GetRunSummaryRequest{Run: trackedRun})
		if err != nil || !sum.GetSummary().GetComplete() || sum.GetSummary().GetVerdict() != "critical" || sum.GetSummary().GetSteps() != 60 {
			t.Errorf("batches of %d: %v, %v", size, err, sum.GetSummary())
		}
		for range 2 {
			if got, err := track(c, 5, rows...); err != nil || got.GetNextSeq() != uint64(len(rows)) {
				t.Errorf("again: %v", err)
			}
		}
		if _, err := track(c, 5, strings.Replace(rows[3], "1.5", "1.6", 1)); rpc.Reason(err) != "DIVERGENT_REPLAY" {
			t.Errorf("another row in a sealed run: %v", err)
		}
		if _, err := track(c, 5, fmt.Sprintf(`{"seq":%d,"type":"config","config":{}}`, len(rows))); rpc.Reason(err) != "RUN_SEALED" {
			t.Errorf("a row behind the seal: %v", err)
		}
		if _, err := track(c, 5, rows[1], rows[5]); rpc.Reason(err) != "OUT_OF_ORDER" {
			t.Errorf("rows that are missing: %v", err)
		}
		roots[r.treeOf(trackedRun)] = true
	}
	if len(roots) != 1 {
		t.Errorf("roots differ: %v", roots)
	}
}

func TestRowsAreNoWayIntoTheMesh(t *testing.T) {
	r := newRig(t).start()
	r.write("run-1", 1, runRecords(t, 3, calm))
	before := r.treeOf("run-1")
	c := r.person()
	row := `{"seq":0,"type":"config","config":{}}`
	for name, req := range map[string]*recorderv1.AppendBatchRequest{
		"a run of the mesh":           {Run: "run-1", Epoch: 9, Log: recorderv1.Log_LOG_EVENTS, Rows: []string{row}},
		"nothing, to raise the epoch": {Run: "run-1", Epoch: 9, Log: recorderv1.Log_LOG_EVENTS},
		"an id of the mesh":           {Run: "0" + trackedRun[1:], Epoch: 9, Log: recorderv1.Log_LOG_EVENTS, Rows: []string{row}},
		"a record": {Run: trackedRun, Epoch: 9, Log: recorderv1.Log_LOG_EVENTS, Records: []*recorderv1.Record{{
			Type: recorderv1.RecordType_RECORD_TYPE_RUN_OPEN}}},
		"settings": {Run: trackedRun, Epoch: 9, Log: recorderv1.Log_LOG_EVENTS, Spec: &recorderv1.RecorderSpec{}},
		"timing":   {Run: trackedRun, Epoch: 9, Log: recorderv1.Log_LOG_TIMING, Rows: []string{row}},
	} {
		if _, err := c.AppendBatch(t.Context(), req); status.Code(err) != codes.PermissionDenied {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.client.AppendBatch(t.Context(), &recorderv1.AppendBatchRequest{Run: "run-1", Epoch: 1, Log: recorderv1.Log_LOG_EVENTS, Rows: []string{row}}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("rows of a role: %v", err)
	}
	if _, err := c.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run-1", Epoch: 9}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("a seal: %v", err)
	}
	if after := r.treeOf("run-1"); after != before {
		t.Errorf("the run was changed: %s, %s", before, after)
	}
}

// A run is made by its first row and by nothing else, and a batch with a bad row leaves nothing behind.
func TestBadRows(t *testing.T) {
	r := newRig(t).start()
	c := r.person()
	rows := trackedRows(3, calm)
	if _, err := track(c, 5); rpc.Reason(err) != "RUN_NOT_FOUND" {
		t.Errorf("what comes next of no run: %v", err)
	}
	for name, bad := range map[string][]string{
		"no JSON": {rows[0], "{"}, "another run": {strings.Replace(rows[0], trackedRun, "h"+trackedRun[1:], 1)},
		"a limit":            {strings.Replace(rows[0], `"method":"grpo"`, `"limits":{"kl_max":-1}`, 1)},
		"an engine":          {rows[0], `{"seq":1,"type":"step","step":0,"engine":"jax","metrics":{}}`},
		"a row behind close": {rows[0], `{"seq":1,"type":"close","outcome":"completed"}`, `{"seq":2,"type":"config","config":{}}`},
	} {
		if _, err := track(c, 5, bad...); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := track(c, 5, rows[0], `{"seq":1,"type":"step","step":0,"metrics":{"kl":true}}`); rpc.Reason(err) != "METRIC_INVALID" || !strings.Contains(err.Error(), "rows[1]: metrics.kl") {
		t.Errorf("a metric that is none: %v", err)
	}
	if _, err := os.Stat(filepath.Join(r.root, "ledger", "default")); err == nil {
		t.Error("a refused row left a folder behind")
	}
	if _, err := track(c, 5, rows[:3]...); err != nil {
		t.Fatal(err)
	}
	if _, err := track(c, 5, rows[4]); rpc.Reason(err) != "OUT_OF_ORDER" {
		t.Errorf("a row is missing: %v", err)
	}
	large := `{"seq":3,"type":"rollout","id":"a","turns":[{"role":"assistant","text":"` + strings.Repeat("x", 300<<10) + `"}]}`
	if _, err := track(c, 5, large); rpc.Reason(err) != "RECORD_TOO_LARGE" {
		t.Errorf("a large row: %v", err)
	}
	if got, err := track(c, 5); err != nil || got.GetNextSeq() != 3 {
		t.Errorf("%v, next %d", err, got.GetNextSeq())
	}
}

// While a process writes, another one is refused; when it has been silent, the other takes over and the first is fenced.
func TestLease(t *testing.T) {
	r := newRig(t)
	now := clock.NewFake(time.Unix(1_790_000_000, 0))
	r.clock = now
	r.start()
	c := r.person()
	rows := trackedRows(10, calm)
	if _, err := track(c, 5, rows[:4]...); err != nil {
		t.Fatal(err)
	}
	now.Advance(10 * time.Second)
	if _, err := track(c, 5); err != nil { // it keeps its lease
		t.Fatal(err)
	}
	now.Advance(10 * time.Second)
	for _, epoch := range []uint64{4, 6} {
		if _, err := track(c, epoch, rows[4]); rpc.Reason(err) != "LEASE_HELD" || !strings.Contains(err.Error(), "ends in 5s") {
			t.Errorf("epoch %d: %v", epoch, err)
		}
	}
	now.Advance(leaseFor)
	if got, err := track(c, 6); err != nil || got.GetNextSeq() != 4 {
		t.Fatalf("take over: %v, next %d", err, got.GetNextSeq())
	}
	if _, err := track(c, 5, rows[4]); rpc.Reason(err) != "LEASE_HELD" {
		t.Errorf("the first while the second lives: %v", err)
	}
	now.Advance(leaseFor)
	if _, err := track(c, 5, rows[4]); rpc.Reason(err) != "LEASE_LOST" {
		t.Errorf("the first when the second is silent: %v", err)
	}
}

func TestLeasesAreBounded(t *testing.T) {
	var l leases
	now := time.Unix(0, 0)
	for i := range 3 * maxLeases {
		now = now.Add(leaseFor / 1000)
		if err := l.take(fmt.Sprint(i), 1, now); err != nil {
			t.Fatal(err)
		}
	}
	if len(l.by) > maxLeases {
		t.Errorf("%d leases are remembered", len(l.by))
	}
}
