package recorder

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/publish"
)

// A subscriber gets the finding with what it needs to prove that the ledger has it.
func TestFindingReachesASubscriberWithItsProof(t *testing.T) {
	r := newRig(t).start()
	r.write("run-1", 1, runRecords(t, 20, blowup(12)))
	m := r.stream.await(t, 1)[0]
	var a recorderv1.Anomaly
	if err := proto.Unmarshal(m.Body, &a); err != nil {
		t.Fatal(err)
	}
	if m.Subject != "provenir.v1.default.anomaly.critical.kl_blowup.run-1" || m.ID != a.GetUid() || m.Headers["ce-id"] != a.GetUid() || a.GetRun() != "run-1" {
		t.Errorf("message %s %s %v", m.ID, m.Subject, m.Headers)
	}
	seq, err := strconv.ParseUint(m.Headers[publish.HeaderSeq], 10, 64)
	if err != nil || seq != a.GetFindingSeq() {
		t.Fatalf("finding seq %q, %v", m.Headers[publish.HeaderSeq], err)
	}
	note, err := base64.StdEncoding.DecodeString(m.Headers[publish.HeaderCheckpoint])
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := ledger.OpenCheckpoint(note, "provenir.dev/ledger/default/run-1/findings", r.service.verifiers)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := r.client.GetInclusionProof(t.Context(), &recorderv1.GetInclusionProofRequest{Run: "run-1", Log: recorderv1.Log_LOG_FINDINGS, Seq: seq, Size: c.Size})
	if err != nil {
		t.Fatal(err)
	}
	a.FindingSeq = nil // the record was written before it had a place
	leaf := ledger.NewEntry(seq, ledger.Anomaly, marshal(t, &a)).Leaf()
	if err := ledger.CheckInclusion(toHashes(proof.GetHashes()), c.Size, c.Root, seq, leaf); err != nil {
		t.Error(err)
	}
}

func toHashes(in [][]byte) []ledger.Hash {
	out := make([]ledger.Hash, len(in))
	for i := range in {
		out[i] = ledger.Hash(in[i])
	}
	return out
}

func TestListAndWatchAnomalies(t *testing.T) {
	r := newRig(t).start()
	watch, err := r.client.WatchAnomalies(t.Context(), &recorderv1.WatchAnomaliesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := watch.Recv(); err != nil || m.GetAnomaly() != nil || m.GetResumeToken() == "" {
		t.Fatalf("a watch begins with a token: %v, %v", m, err)
	}
	r.write("run-1", 1, runRecords(t, 20, blowup(12)))
	r.write("run-2", 1, runRecords(t, 30, func(step int) float64 { // one that ends
		if step >= 5 && step < 8 {
			return 3
		}
		return 0.01
	}))
	var tokens []string
	var kinds []string
	for range 3 {
		m, err := watch.Recv()
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, m.GetResumeToken())
		kinds = append(kinds, m.GetAnomaly().GetRun()+" "+m.GetAnomaly().GetEvent().String())
	}
	want := []string{"run-1 INCIDENT_EVENT_OPEN", "run-2 INCIDENT_EVENT_OPEN", "run-2 INCIDENT_EVENT_RESOLVE"}
	if !slices.Equal(kinds, want) {
		t.Errorf("watched %q, want %q", kinds, want)
	}
	again, err := r.client.WatchAnomalies(t.Context(), &recorderv1.WatchAnomaliesRequest{ResumeToken: tokens[1]})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := again.Recv(); err != nil || m.GetAnomaly().GetEvent() != recorderv1.IncidentEvent_INCIDENT_EVENT_RESOLVE {
		t.Errorf("resumed with %v, %v", m, err)
	}
	tests := []struct {
		name string
		req  *recorderv1.ListAnomaliesRequest
		want int
	}{
		{"all", &recorderv1.ListAnomaliesRequest{}, 3},
		{"one run", &recorderv1.ListAnomaliesRequest{Run: "run-2"}, 2},
		{"open", &recorderv1.ListAnomaliesRequest{OpenOnly: true}, 1},
		{"kind", &recorderv1.ListAnomaliesRequest{Kinds: []string{"kl_blowup", "other"}}, 3},
		{"other kind", &recorderv1.ListAnomaliesRequest{Kinds: []string{"other"}}, 0},
		{"severity", &recorderv1.ListAnomaliesRequest{MinSeverity: corev1.Severity_SEVERITY_CRITICAL}, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.req.PageSize = 2
			var got []*recorderv1.Anomaly
			for {
				page, err := r.client.ListAnomalies(t.Context(), tt.req)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, page.GetAnomalies()...)
				if tt.req.PageToken = page.GetNextPageToken(); tt.req.PageToken == "" {
					break
				}
			}
			if len(got) != tt.want {
				t.Errorf("%d anomalies, want %d", len(got), tt.want)
			}
		})
	}
	foreign, err := r.client.WatchAnomalies(t.Context(), &recorderv1.WatchAnomaliesRequest{ResumeToken: "bm9uZQ"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := foreign.Recv(); status.Code(err) != codes.InvalidArgument {
		t.Errorf("foreign token: %v", err)
	}
}

func TestAckAnomaly(t *testing.T) {
	r := newRig(t).start()
	found := r.write("run-1", 1, runRecords(t, 20, blowup(12)))
	r.stream.await(t, 1)
	resp, err := r.client.AckAnomaly(t.Context(), &recorderv1.AckAnomalyRequest{Incident: found[0].GetIncident(), Note: "known"})
	if err != nil || resp.GetAck().GetWho() != "mesh" || resp.GetAck().GetNote() != "known" {
		t.Fatalf("%v, %v", resp, err)
	}
	page, err := r.client.ListEvents(t.Context(), &recorderv1.ListEventsRequest{Run: "run-1", Log: recorderv1.Log_LOG_FINDINGS,
		Types: []recorderv1.RecordType{recorderv1.RecordType_RECORD_TYPE_ACK}})
	if err != nil || len(page.GetEvents()) != 1 || !strings.HasPrefix(string(page.GetEvents()[0].GetPayload()), found[0].GetIncident()+" ") {
		t.Errorf("ack record %v, %v", page, err)
	}
	if _, err := r.client.AckAnomaly(t.Context(), &recorderv1.AckAnomalyRequest{Incident: "unknown"}); status.Code(err) != codes.NotFound {
		t.Errorf("unknown incident: %v", err)
	}
}

// Stopped at any place and started again, a recorder says each finding once and ends with the same roots and summary.
func TestRestartsChangeNothing(t *testing.T) {
	recs := runRecords(t, 40, func(step int) float64 {
		if step >= 12 && step < 20 || step >= 33 {
			return 3
		}
		return 0.01
	})
	end := func(r *rig) (messages []string, root []byte, sum *recorderv1.RunSummary) {
		seal, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run-1", Epoch: 9})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := r.client.GetRunSummary(t.Context(), &recorderv1.GetRunSummaryRequest{Run: "run-1"})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range r.stream.await(t, 3) {
			messages = append(messages, m.ID)
		}
		resp.GetSummary().Checkpoints = nil
		return messages, seal.GetCheckpoints()[0].GetRoot(), resp.GetSummary()
	}
	calmRig := newRig(t)
	calmRig.cfg.SnapshotSteps = 7
	calmRig.start()
	calmRig.write("run-1", 9, recs)
	wantMessages, wantRoot, wantSum := end(calmRig)

	r := newRig(t)
	r.cfg.SnapshotSteps = 7
	r.start()
	for at, cuts := 0, []int{1, 60, 130, 131, 205, 340, len(recs)}; len(cuts) > 0; cuts = cuts[1:] {
		r.write("run-1", 9, recs[max(at-25, 0):cuts[0]]) // each writer goes back a little
		at = cuts[0]
		r.restart()
	}
	// A step that is sent again brings what it brought the first time.
	var told []string
	for _, a := range r.write("run-1", 9, recs[100:]) {
		told = append(told, a.GetKind()+" "+strconv.FormatUint(a.GetStep(), 10))
	}
	if !slices.Equal(told, []string{"kl_blowup 12", "kl_blowup 33"}) {
		t.Errorf("repeated steps brought %v", told)
	}
	messages, root, sum := end(r)
	if !slices.Equal(messages, wantMessages) {
		t.Errorf("messages %v, want %v", messages, wantMessages)
	}
	if !slices.Equal(root, wantRoot) {
		t.Error("the root of events differs from that of an undisturbed run")
	}
	if !proto.Equal(sum, wantSum) {
		t.Errorf("summary\n%v\nwant\n%v", sum, wantSum)
	}
}
