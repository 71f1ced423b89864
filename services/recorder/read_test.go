package recorder

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/metric"
)

func TestListEvents(t *testing.T) {
	r := newRig(t).start()
	recs := runRecords(t, 30, calm)
	r.write("run-1", 1, recs)
	var got []*recorderv1.Event
	req := &recorderv1.ListEventsRequest{Run: "run-1", FromSeq: 3, PageSize: 50}
	for pages := 0; ; pages++ {
		page, err := r.client.ListEvents(t.Context(), req)
		if err != nil || len(page.GetEvents()) > 50 || pages > 20 {
			t.Fatalf("page %d: %d events, %v", pages, len(page.GetEvents()), err)
		}
		got = append(got, page.GetEvents()...)
		if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	if len(got) != len(recs)-3 {
		t.Fatalf("%d events, want %d", len(got), len(recs)-3)
	}
	for i, e := range got {
		want := recs[i+3]
		digest := digestOf(want.GetPayload())
		if e.GetSeq() != want.GetSeq() || e.GetType() != want.GetType() || !bytes.Equal(e.GetPayload(), want.GetPayload()) || !bytes.Equal(e.GetDigest(), digest[:]) {
			t.Fatalf("event %d reads as %v", want.GetSeq(), e)
		}
	}
	r.restart() // timing is complete after a clean stop
	page, err := r.client.ListEvents(t.Context(), &recorderv1.ListEventsRequest{Run: "run-1", Types: []recorderv1.RecordType{recorderv1.RecordType_RECORD_TYPE_STEP}})
	if err != nil || len(page.GetEvents()) != 30 {
		t.Fatalf("%d steps, %v", len(page.GetEvents()), err)
	}
	if v := string(page.GetEvents()[7].GetVolatile()); v != "step took 7 s" {
		t.Errorf("volatile of step 7 is %q", v)
	}
	if _, err := r.client.ListEvents(t.Context(), &recorderv1.ListEventsRequest{Run: "unknown"}); rpc.Reason(err) != "RUN_NOT_FOUND" {
		t.Errorf("unknown run: %v", err)
	}
	if _, err := r.client.ListEvents(t.Context(), &recorderv1.ListEventsRequest{Run: "run-1", PageToken: page.GetEvents()[0].GetResumeToken()}); rpc.Reason(err) != "RESUME_TOKEN_FOREIGN" {
		t.Errorf("a watch's token as a page's: %v", err)
	}
}

func TestWatchEvents(t *testing.T) {
	r := newRig(t).start()
	recs := runRecords(t, 10, calm)
	r.write("run-1", 1, recs[:40])
	watch, err := r.client.WatchEvents(t.Context(), &recorderv1.WatchEventsRequest{Run: "run-1"})
	if err != nil {
		t.Fatal(err)
	}
	token := ""
	for seq := range uint64(40) {
		m, err := watch.Recv()
		if err != nil || m.GetEvent().GetSeq() != seq {
			t.Fatalf("event %d: %v, %v", seq, m, err)
		}
		if seq == 20 {
			token = m.GetResumeToken()
		}
	}
	r.write("run-1", 1, recs[40:])
	if _, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run-1", Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	again, err := r.client.WatchEvents(t.Context(), &recorderv1.WatchEventsRequest{Run: "run-1", ResumeToken: token})
	if err != nil {
		t.Fatal(err)
	}
	for seq := uint64(21); seq < uint64(len(recs)); seq++ {
		if m, err := again.Recv(); err != nil || m.GetEvent().GetSeq() != seq {
			t.Fatalf("event %d: %v, %v", seq, m, err)
		}
	}
	if m, err := again.Recv(); err != nil || !m.GetSealed() || m.GetEvent() != nil {
		t.Errorf("the end of a sealed run: %v, %v", m, err)
	}
	other, err := r.client.WatchEvents(t.Context(), &recorderv1.WatchEventsRequest{Run: "run-1", Log: recorderv1.Log_LOG_TIMING, ResumeToken: token})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Recv(); rpc.Reason(err) != "RESUME_TOKEN_FOREIGN" {
		t.Errorf("a token of another log: %v", err)
	}
}

func TestRunSummary(t *testing.T) {
	r := newRig(t).start()
	recs := runRecords(t, 20, blowup(12))
	r.write("run-1", 1, recs)
	resp, err := r.client.GetRunSummary(t.Context(), &recorderv1.GetRunSummaryRequest{Run: "run-1"})
	if err != nil {
		t.Fatal(err)
	}
	s := resp.GetSummary()
	if s.GetVerdict() != "critical" || s.GetWorst() != corev1.Severity_SEVERITY_CRITICAL || s.GetSteps() != 20 || s.GetRollouts() != 80 ||
		s.GetUnscored() != 20 || s.GetTimeDependent() != 20 || s.GetAttempts() != 1 || s.GetFirstOnset() != 12 || s.GetComplete() {
		t.Errorf("summary %v", s)
	}
	if len(s.GetMetrics()) != 2 || s.GetMetrics()[0].GetMetric().GetCanonical() != metric.KLRef || s.GetMetrics()[0].GetMetric().GetValue() != 3 || s.GetMetrics()[0].GetStep() != 19 {
		t.Errorf("metrics %v", s.GetMetrics())
	}
	for _, kind := range []string{"proxy_divergence", "grad_explosion"} {
		if !slices.Contains(s.GetUnchecked(), kind) {
			t.Errorf("%s is not listed as unchecked", kind)
		}
	}
	r.write("run-2", 1, runRecords(t, 2, calm))
	if resp, err := r.client.GetRunSummary(t.Context(), &recorderv1.GetRunSummaryRequest{Run: "run-2"}); err != nil || resp.GetSummary().GetVerdict() != "insufficient" {
		t.Errorf("a run of two steps: %v, %v", resp, err)
	}
}

func TestQueryMetrics(t *testing.T) {
	r := newRig(t).start()
	r.write("run-1", 1, runRecords(t, 100, func(step int) float64 { return 0.01 * float64(step) }))
	tests := []struct {
		name   string
		req    *recorderv1.QueryMetricsRequest
		series int
		points int
		first  float64
	}{
		{"all", &recorderv1.QueryMetricsRequest{}, 2, 100, 0},
		{"one", &recorderv1.QueryMetricsRequest{Names: []string{metric.KLRef}}, 1, 100, 0},
		{"range", &recorderv1.QueryMetricsRequest{Names: []string{metric.KLRef}, FromStep: 10, ToStep: 20}, 1, 10, 0.1},
		{"averaged", &recorderv1.QueryMetricsRequest{Names: []string{metric.KLRef}, MaxPoints: 25}, 1, 25, 0.015},
		{"unknown", &recorderv1.QueryMetricsRequest{Names: []string{"none"}}, 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.req.Run = "run-1"
			resp, err := r.client.QueryMetrics(t.Context(), tt.req)
			if err != nil || len(resp.GetSeries()) != tt.series {
				t.Fatalf("%d series, %v", len(resp.GetSeries()), err)
			}
			if tt.series == 0 {
				return
			}
			s := resp.GetSeries()[0]
			if len(s.GetPoints()) != tt.points || s.GetUnit() != "nats" {
				t.Fatalf("%d points in %q, want %d", len(s.GetPoints()), s.GetUnit(), tt.points)
			}
			if got := s.GetPoints()[0].GetValue(); got < tt.first-1e-9 || got > tt.first+1e-9 {
				t.Errorf("first value %g, want %g", got, tt.first)
			}
		})
	}
}

func TestProofsSealAndVerify(t *testing.T) {
	r := newRig(t).start()
	recs := runRecords(t, 30, blowup(20))
	r.write("run-1", 2, recs[:100])
	if _, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run-1", Epoch: 2}); rpc.Reason(err) != "RUN_NOT_FINISHED" {
		t.Errorf("seal of a run that goes on: %v", err)
	}
	old, err := r.client.GetCheckpoint(t.Context(), &recorderv1.GetCheckpointRequest{Run: "run-1"})
	if err != nil {
		t.Fatal(err)
	}
	r.write("run-1", 2, recs[100:])
	seal, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run-1", Epoch: 2})
	if err != nil || len(seal.GetCheckpoints()) != 3 || seal.GetCheckpoints()[0].GetSize() != uint64(len(recs)) {
		t.Fatalf("seal %v, %v", seal, err)
	}
	if _, err := r.client.AppendBatch(t.Context(), &recorderv1.AppendBatchRequest{Run: "run-1", Epoch: 2, Log: recorderv1.Log_LOG_EVENTS, Records: recs[:1]}); rpc.Reason(err) != "RUN_SEALED" {
		t.Errorf("append after the seal: %v", err)
	}
	events := seal.GetCheckpoints()[0]
	proof, err := r.client.GetInclusionProof(t.Context(), &recorderv1.GetInclusionProofRequest{Run: "run-1", Seq: 77})
	if err != nil {
		t.Fatal(err)
	}
	entry := ledger.NewEntry(77, ledger.RecordType(recs[77].GetType()), recs[77].GetPayload())
	if !bytes.Equal(proof.GetEntry(), entry.AppendBinary(nil)) {
		t.Error("the entry is not the record's")
	}
	if err := ledger.CheckInclusion(toHashes(proof.GetHashes()), events.GetSize(), ledger.Hash(events.GetRoot()), 77, entry.Leaf()); err != nil {
		t.Error(err)
	}
	from := old.GetCheckpoint()
	con, err := r.client.GetConsistencyProof(t.Context(), &recorderv1.GetConsistencyProofRequest{Run: "run-1", FromSize: from.GetSize()})
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.CheckConsistency(toHashes(con.GetHashes()), events.GetSize(), ledger.Hash(events.GetRoot()), from.GetSize(), ledger.Hash(from.GetRoot())); err != nil {
		t.Error(err)
	}
	if _, err := r.client.GetInclusionProof(t.Context(), &recorderv1.GetInclusionProofRequest{Run: "run-1", Seq: 5000}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("proof of a record that is not there: %v", err)
	}
	v, err := r.client.VerifyRun(t.Context(), &recorderv1.VerifyRunRequest{Run: "run-1"})
	if err != nil || len(v.GetDamages()) > 0 || len(v.GetCheckpoints()) != 3 || v.GetRecords() < uint64(len(recs)) {
		t.Errorf("verify %v, %v", v, err)
	}
	r.stop()
	name := filepath.Join(r.root, "ledger", "default", "run-1", "events", ledger.SegmentName(0))
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[bytes.Index(b, recs[150].GetPayload())] ^= 1
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	r.start()
	v, err = r.client.VerifyRun(t.Context(), &recorderv1.VerifyRunRequest{Run: "run-1"})
	if err != nil || len(v.GetDamages()) != 1 || v.GetDamages()[0].GetKind() != "flipped_bits" || v.GetDamages()[0].GetFirstSeq() != 150 {
		t.Errorf("verify of a damaged log %v, %v", v, err)
	}
	page, err := r.client.ListEvents(t.Context(), &recorderv1.ListEventsRequest{Run: "run-1", FromSeq: 140, PageSize: 100})
	if err != nil || len(page.GetEvents()) != 10 || page.GetNextPageToken() == "" {
		t.Fatalf("before the damage: %d events, %v", len(page.GetEvents()), err)
	}
	_, err = r.client.ListEvents(t.Context(), &recorderv1.ListEventsRequest{Run: "run-1", PageToken: page.GetNextPageToken()})
	if rpc.Reason(err) != "LEDGER_CORRUPT" || rpc.Metadata(err, "first_seq") != "150" {
		t.Errorf("at the damage: %v", err)
	}
	page, err = r.client.ListEvents(t.Context(), &recorderv1.ListEventsRequest{Run: "run-1", FromSeq: 149, PageSize: 3, IncludeDamaged: true})
	if err != nil || len(page.GetEvents()) != 3 || page.GetEvents()[1].GetType() != recorderv1.RecordType_RECORD_TYPE_GAP || page.GetEvents()[2].GetSeq() != 151 {
		t.Errorf("with gaps: %v, %v", page, err)
	}
	for range 2 { // a loss is declared once
		got, err := r.client.RepairRun(t.Context(), &recorderv1.RepairRunRequest{Run: "run-1"})
		if err != nil || len(got.GetLosses()) != 1 || got.GetLosses()[0].GetFirstSeq() != 150 || got.GetLosses()[0].GetLastSeq() != 150 {
			t.Fatalf("repair: %v, %v", got, err)
		}
	}
	gaps, err := r.client.ListEvents(t.Context(), &recorderv1.ListEventsRequest{Run: "run-1", Log: recorderv1.Log_LOG_FINDINGS,
		Types: []recorderv1.RecordType{recorderv1.RecordType_RECORD_TYPE_GAP}})
	if err != nil || len(gaps.GetEvents()) != 1 {
		t.Errorf("declared: %v, %v", gaps, err)
	}
	if _, err := r.client.EraseGroup(t.Context(), &recorderv1.EraseGroupRequest{Run: "run-1", Group: "g"}); rpc.Reason(err) != "OPTION_UNSUPPORTED" {
		t.Errorf("erase: %v", err)
	}
}

func TestLoadKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	first, vkey, err := LoadKey(dir, "recorder.test")
	if err != nil {
		t.Fatal(err)
	}
	again, vkey2, err := LoadKey(dir, "another.name")
	if err != nil || vkey != vkey2 || first.KeyHash() != again.KeyHash() {
		t.Errorf("the key changed: %v", err)
	}
	if info, err := os.Stat(filepath.Join(dir, keyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("secret key: %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, vkeyFile), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadKey(dir, "recorder.test"); err == nil {
		t.Error("a damaged public key was accepted")
	}
}
