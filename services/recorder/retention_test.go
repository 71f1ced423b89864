package recorder

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/retain"
	"github.com/provenir/provenir/services/recorder/ship/fakes3"
	"github.com/provenir/provenir/services/recorder/store"
)

const (
	month = 31 * 24 * time.Hour

	young     = recorderv1.RetentionState_RETENTION_STATE_YOUNG
	due       = recorderv1.RetentionState_RETENTION_STATE_DUE
	held      = recorderv1.RetentionState_RETENTION_STATE_HELD
	stays     = recorderv1.RetentionState_RETENTION_STATE_BLOCKED
	notSealed = recorderv1.RetentionState_RETENTION_STATE_NOT_SEALED
	retired   = recorderv1.RetentionState_RETENTION_STATE_RETIRED
)

// aged is a rig with a rule of 24 months, small segments, and a clock that can be put forward.
func aged(t testing.TB) (*rig, *shifted) {
	t.Helper()
	r, now := newRig(t), &shifted{}
	r.clock = now
	r.cfg.Retain = retain.Rule{Months: 24}
	r.cfg.Store = store.Config{Reserve: -1, TimingLinger: time.Millisecond, MinFree: 1, SegmentBytes: 8 << 10}
	return r, now
}

// end writes a run and seals it.
func (r *rig) end(run string, recs []*recorderv1.Record) {
	r.t.Helper()
	r.write(run, 1, recs)
	if _, err := r.client.SealRun(context.Background(), &recorderv1.SealRunRequest{Run: run, Epoch: 1}); err != nil {
		r.t.Fatal(err)
	}
}

// state is what the plan says of a run.
func (r *rig) state(run string) *recorderv1.RunRetention {
	r.t.Helper()
	got, err := r.client.PlanRetention(context.Background(), &recorderv1.PlanRetentionRequest{Run: run})
	if err != nil || len(got.GetRuns()) != 1 {
		r.t.Fatalf("plan of %s: %v, %v", run, got, err)
	}
	return got.GetRuns()[0]
}

func (r *rig) apply(run string) *recorderv1.RunRetention {
	r.t.Helper()
	got, err := r.client.ApplyRetention(context.Background(), &recorderv1.ApplyRetentionRequest{Run: run})
	if err != nil || len(got.GetRuns()) != 1 {
		r.t.Fatalf("apply to %s: %v, %v", run, got, err)
	}
	return got.GetRuns()[0]
}

func (r *rig) verified(run string) *recorderv1.VerifyRunResponse {
	r.t.Helper()
	v, err := r.client.VerifyRun(context.Background(), &recorderv1.VerifyRunRequest{Run: run})
	if err != nil || len(v.GetDamages()) > 0 {
		r.t.Fatalf("verify: %v, %v", v.GetDamages(), err)
	}
	return v
}

func TestRetention(t *testing.T) {
	r, now := aged(t)
	r.start()
	recs := runRecords(t, 20, blowup(15))
	r.end("run-1", recs)
	r.write("run-2", 1, recs[:50])
	now.Advance(23 * month)
	if s := r.state("run-1"); s.GetState() != young || s.GetSegments() < 2 || s.GetBytes() == 0 {
		t.Errorf("after 23 months: %v", s)
	}
	if s := r.apply("run-1"); s.GetState() != young || len(r.files("run-1", "*.retired")) > 0 {
		t.Errorf("taken before its time: %v", s)
	}
	now.Advance(2 * month)
	plan, err := r.client.PlanRetention(t.Context(), &recorderv1.PlanRetentionRequest{})
	if err != nil || len(plan.GetRuns()) != 1 || plan.GetRuns()[0].GetState() != due || plan.GetNotSealed() != 1 || !strings.Contains(plan.GetRule(), "24 months") {
		t.Fatalf("plan: %v, %v", plan, err)
	}
	if got, err := r.client.QueryMetrics(t.Context(), &recorderv1.QueryMetricsRequest{Run: "run-1"}); err != nil || len(got.GetSeries()) == 0 {
		t.Fatalf("metrics before: %v, %v", got, err)
	}
	done, err := r.client.ApplyRetention(t.Context(), &recorderv1.ApplyRetentionRequest{})
	if err != nil || len(done.GetRuns()) != 1 {
		t.Fatalf("apply: %v, %v", done, err)
	}
	if d := done.GetRuns()[0]; d.GetState() != retired || d.GetFirstSeq() != 0 || d.GetLastSeq() != uint64(len(recs))-1 || d.FindingSeq == nil {
		t.Errorf("applied: %v", d)
	}
	if s := r.state("run-2"); s.GetState() != notSealed {
		t.Errorf("a run that goes on: %v", s)
	}
	for _, restarted := range []bool{false, true} {
		if restarted {
			r.restart()
		}
		r.gone(t, recs)
	}
	if left := r.files("run-1", "*.seg"); len(left) > 0 {
		t.Errorf("payloads are left: %v", left)
	}
	if found := r.onDisk(t, []byte(strings.Repeat("x", 100))); len(found) != 1 { // run-2's
		t.Errorf("payloads are in %v", found)
	}
}

// gone checks what is said of a run whose payloads were retired.
func (r *rig) gone(t *testing.T, recs []*recorderv1.Record) {
	t.Helper()
	for i, e := range r.list(t) {
		sum := digestOf(recs[i].GetPayload())
		if e.GetPayloadAbsent() != corev1.ErrorReason_ERROR_REASON_PAYLOAD_RETIRED || len(e.GetPayload()) > 0 || e.GetBlob() != nil || string(e.GetDigest()) != string(sum[:]) {
			t.Fatalf("record %d: %v", i, e)
		}
	}
	if _, err := r.client.QueryMetrics(t.Context(), &recorderv1.QueryMetricsRequest{Run: "run-1"}); rpc.Reason(err) != "PAYLOAD_RETIRED" {
		t.Errorf("series of retired steps: %v", err)
	}
	v := r.verified("run-1")
	if len(v.GetRetired()) == 0 || v.GetRetired()[0].GetBy() == "" || !strings.Contains(v.GetRetired()[0].GetRule(), "24 months") || len(v.GetUnchecked()) > 0 {
		t.Errorf("verify: %v", v)
	}
	p, err := r.client.GetInclusionProof(t.Context(), &recorderv1.GetInclusionProofRequest{Run: "run-1", Seq: 7})
	if err != nil || len(p.GetEntry()) == 0 {
		t.Errorf("proof: %v", err)
	}
	s, err := r.client.GetRunSummary(t.Context(), &recorderv1.GetRunSummaryRequest{Run: "run-1"})
	if err != nil || s.GetSummary().GetVerdict() != "critical" || s.GetSummary().GetSteps() != 20 {
		t.Errorf("what was concluded went too: %v, %v", s, err)
	}
	if s := r.state("run-1"); s.GetState() != retired {
		t.Errorf("plan: %v", s)
	}
}

func (r *rig) files(run, pattern string) []string {
	found, err := filepath.Glob(filepath.Join(r.root, "ledger", "default", run, "events", pattern))
	if err != nil {
		r.t.Fatal(err)
	}
	return found
}

// Whose age nobody knows, whose files are damaged or whose copy is not there: it stays, and the plan says why.
func TestRetentionIsBlocked(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, r *rig)
		why   string
	}{
		{"the log timing is gone", func(t *testing.T, r *rig) {
			if err := os.RemoveAll(filepath.Join(r.root, "ledger", "default", "run-1", "timing")); err != nil {
				t.Fatal(err)
			}
		}, "age is not known"},
		{"a damaged segment", func(t *testing.T, r *rig) {
			edit(t, r.segment(1), func(b []byte) []byte { b[1000] ^= 1; return b })
		}, "ledger verify"},
		{"findings is damaged", func(t *testing.T, r *rig) {
			edit(t, filepath.Join(r.root, "ledger", "default", "run-1", "findings", ledger.SegmentName(0)), func(b []byte) []byte { b[300] ^= 1; return b })
		}, "LEDGER_CORRUPT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, now := aged(t)
			r.start()
			r.end("run-1", runRecords(t, 20, blowup(15)))
			before := r.files("run-1", "*.seg")
			now.Advance(25 * month)
			r.stop()
			tt.spoil(t, r)
			r.start()
			if got := r.apply("run-1"); got.GetState() != stays || !strings.Contains(got.GetWhy(), tt.why) {
				t.Errorf("%v", got)
			}
			if after := r.files("run-1", "*.seg"); len(after) != len(before) {
				t.Errorf("files went: %v of %v", after, before)
			}
		})
	}
}

// With a store of copies nothing is deleted here before the store has shown, in this very pass, that it holds the bytes.
func TestRetentionAsksTheStore(t *testing.T) {
	key := "ledger/default/run-1/events/" + ledger.SegmentName(1)
	away := func(*http.Request) fakes3.Fault { return fakes3.Fault{Status: http.StatusServiceUnavailable} }
	tests := []struct {
		name  string
		store func(t *testing.T, r *rig, s3 *fakes3.Store)
		want  recorderv1.RetentionState
		why   string
	}{
		{"it has them", func(t *testing.T, r *rig, _ *fakes3.Store) { r.shipped(t) }, retired, ""},
		{"nothing was shipped", func(*testing.T, *rig, *fakes3.Store) {}, stays, "no copy of it yet"},
		{"other bytes", func(t *testing.T, r *rig, s3 *fakes3.Store) {
			r.shipped(t)
			o, _ := s3.Get(key)
			s3.Set(key, append([]byte{1}, o.Data[1:]...))
		}, stays, "holds something else"},
		{"it is away", func(t *testing.T, r *rig, s3 *fakes3.Store) { r.shipped(t); s3.Fail(away) }, stays, "503"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, now := aged(t)
			cfg := r.cfg
			s3 := r.shipping(t)
			cfg.Ship = r.cfg.Ship
			r.cfg = cfg
			s3.Fail(away) // the recorder's own shipper gets nothing done
			r.start()
			r.end("run-1", runRecords(t, 20, calm))
			now.Advance(25 * month)
			s3.Fail(nil)
			if tt.name == "nothing was shipped" {
				s3.Fail(func(q *http.Request) fakes3.Fault {
					if q.Method == http.MethodPut {
						return fakes3.Fault{Status: http.StatusServiceUnavailable}
					}
					return fakes3.Fault{}
				})
			}
			tt.store(t, r, s3)
			got := r.apply("run-1")
			if got.GetState() != tt.want || !strings.Contains(got.GetWhy(), tt.why) {
				t.Errorf("%v", got)
			}
			gone := len(r.files("run-1", "*.seg")) == 0
			if gone != (tt.want == retired) {
				t.Errorf("files are gone: %v", gone)
			}
			if tt.want != retired {
				return
			}
			if _, ok := s3.Get("ledger/default/run-1/events/" + ledger.RetiredName(0)); !ok {
				t.Errorf("what stays has no copy: %v", s3.Names())
			}
			r.verified("run-1")
			for _, file := range []string{"shipped", ledger.RetiredName(0)} { // the shipper forgets, and what stays gets lost
				if err := os.Remove(filepath.Join(r.root, "ledger", "default", "run-1", "events", file)); err != nil {
					t.Fatal(err)
				}
			}
			r.restart()
			fixed, err := r.client.RepairRun(t.Context(), &recorderv1.RepairRunRequest{Run: "run-1"})
			if err != nil || len(fixed.GetRestored()) != 1 || len(fixed.GetLosses()) > 0 {
				t.Errorf("repair: %v, %v", fixed, err)
			}
			r.verified("run-1")
			r.shipped(t)
			if got := r.apply("run-1"); got.GetState() != retired || len(r.files("run-1", "*.seg")) > 0 {
				t.Errorf("after the repair: %v", got)
			}
		})
	}
}

// What is damaged of a retired segment is mended from the store, and its payloads do not come back with it.
func TestRepairOfARetiredSegment(t *testing.T) {
	for _, name := range []string{"from the copy with payloads", "from the copy without"} {
		t.Run(name, func(t *testing.T) {
			r, now := aged(t)
			cfg := r.cfg
			s3 := r.shipping(t)
			cfg.Ship = r.cfg.Ship
			r.cfg = cfg
			r.start()
			r.end("run-1", runRecords(t, 20, calm))
			r.shipped(t)
			now.Advance(25 * month)
			if got := r.apply("run-1"); got.GetState() != retired {
				t.Fatal(got)
			}
			r.stop()
			file := filepath.Join(r.root, "ledger", "default", "run-1", "events", ledger.RetiredName(1))
			edit(t, file, func(b []byte) []byte { b[333] ^= 1; return b })
			if name == "from the copy without" { // the store's own rule took the other one
				s3.Fail(func(q *http.Request) fakes3.Fault {
					if strings.HasSuffix(q.URL.Path, ".seg") {
						return fakes3.Fault{Status: http.StatusNotFound}
					}
					return fakes3.Fault{}
				})
			}
			r.start()
			got, err := r.client.RepairRun(t.Context(), &recorderv1.RepairRunRequest{Run: "run-1"})
			if err != nil || len(got.GetRestored()) != 1 || len(got.GetLosses()) > 0 {
				t.Fatalf("repair: %v, %v", got, err)
			}
			r.verified("run-1")
			if back := r.files("run-1", "*.seg"); len(back) > 0 {
				t.Errorf("payloads came back: %v", back)
			}
			if kept := r.files("run-1", "*.retired.damaged-*"); len(kept) != 1 {
				t.Errorf("the damaged file: %v", kept)
			}
		})
	}
}

// hourly is a clock that tells when the loop of retention waits, and lets its hour pass.
type hourly struct {
	*shifted
	fake   *clock.Fake
	rounds chan struct{}
}

func (h hourly) NewTimer(d time.Duration) clock.Timer {
	if d != time.Hour {
		return h.shifted.NewTimer(d)
	}
	t := h.fake.NewTimer(d)
	h.rounds <- struct{}{}
	return t
}

func TestRetentionInTheBackground(t *testing.T) {
	r, now := aged(t)
	h := hourly{now, clock.NewFake(time.Unix(0, 0)), make(chan struct{}, 1)}
	r.clock = h
	r.start()
	<-h.rounds
	r.end("run-1", runRecords(t, 20, calm))
	hour := func() {
		h.fake.Advance(time.Hour)
		<-h.rounds
	}
	hour()
	if len(r.files("run-1", "*.retired")) > 0 {
		t.Fatal("taken before its time")
	}
	now.Advance(25 * month)
	hour()
	if s := r.state("run-1"); s.GetState() != retired {
		t.Errorf("%v", s)
	}
	if v := r.verified("run-1"); len(v.GetRetired()) == 0 || v.GetRetired()[0].GetBy() != byRule {
		t.Errorf("%v", v)
	}
}

func TestRetentionKeepsForEver(t *testing.T) {
	r, now := aged(t)
	r.cfg.Retain = retain.Rule{}
	r.start()
	r.end("run-1", runRecords(t, 20, calm))
	now.Advance(1200 * month)
	if s := r.apply("run-1"); s.GetState() != young || s.Due != nil || len(r.files("run-1", "*.retired")) > 0 {
		t.Errorf("%v", s)
	}
}

func TestRetentionOfARunThatIsNone(t *testing.T) {
	r, _ := aged(t)
	r.start()
	if _, err := r.client.PlanRetention(t.Context(), &recorderv1.PlanRetentionRequest{Run: "nobody"}); status.Code(err) != codes.NotFound {
		t.Errorf("%v", err)
	}
	for _, months := range []int{5, -1, 1} {
		cfg := Config{Retain: retain.Rule{Months: months}}
		if _, err := cfg.withDefaults(); err == nil || !strings.Contains(err.Error(), "at least 6") {
			t.Errorf("%d months: %v", months, err)
		}
	}
}
