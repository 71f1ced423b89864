package recorder

import (
	"context"
	"io"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/recorder/disk/faulty"
)

// writing is one Append stream with a deadline, so that a hang fails.
func (r *rig) open(run string, epoch uint64) recorderv1.RecorderService_AppendClient {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	r.t.Cleanup(cancel)
	st, err := r.client.Append(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	r.send(st, &recorderv1.AppendRequest{Frame: &recorderv1.AppendRequest_Open{Open: &recorderv1.Open{Run: run, Epoch: epoch, Log: recorderv1.Log_LOG_EVENTS,
		Spec: &recorderv1.RecorderSpec{Method: "grpo"}}}})
	return st
}

func (r *rig) send(st recorderv1.RecorderService_AppendClient, m *recorderv1.AppendRequest) {
	r.t.Helper()
	if err := st.Send(m); err != nil && err != io.EOF {
		r.t.Fatal(err)
	}
}

func frame(recs []*recorderv1.Record) *recorderv1.AppendRequest {
	return &recorderv1.AppendRequest{Frame: &recorderv1.AppendRequest_Records{Records: &recorderv1.Records{Records: recs}}}
}

func closeFrame() *recorderv1.AppendRequest {
	return &recorderv1.AppendRequest{Frame: &recorderv1.AppendRequest_Close{Close: &recorderv1.Close{}}}
}

func (r *rig) recv(st recorderv1.RecorderService_AppendClient) *recorderv1.AppendResponse {
	r.t.Helper()
	m, err := st.Recv()
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

func TestAppendStream(t *testing.T) {
	r := newRig(t).start()
	recs := runRecords(t, 20, blowup(12))
	st := r.open("run-1", 1)
	first := r.recv(st)
	if first.NextSeq == nil || first.GetNextSeq() != 0 || first.ThroughSeq != nil || first.GetCreditBytes() != 8<<20 {
		t.Fatalf("open answered %v", first)
	}
	sent := uint64(0)
	for at := 0; at < len(recs); at += 16 {
		piece := recs[at:min(at+16, len(recs))]
		for _, rec := range piece {
			sent += uint64(len(rec.GetPayload()) + len(rec.GetVolatile()))
		}
		r.send(st, frame(piece))
	}
	r.send(st, closeFrame())
	credit, through := uint64(0), uint64(0)
	var found []*recorderv1.Anomaly
	for {
		m, err := st.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if m.GetThroughSeq() < through {
			t.Errorf("acks go back from %d to %d", through, m.GetThroughSeq())
		}
		through, credit = m.GetThroughSeq(), credit+m.GetCreditBytes()
		for _, a := range m.GetFindings() {
			if a.GetSeq() > through {
				t.Errorf("a finding of event %d came with an ack of %d", a.GetSeq(), through)
			}
		}
		found = append(found, m.GetFindings()...)
	}
	if through != uint64(len(recs)-1) || credit != sent {
		t.Errorf("through %d of %d, credit %d of %d", through, len(recs)-1, credit, sent)
	}
	if len(found) != 1 || found[0].GetKind() != "kl_blowup" || found[0].GetStep() != 12 || found[0].GetSeverity() != corev1.Severity_SEVERITY_CRITICAL {
		t.Errorf("findings %v", found)
	}
}

func TestAppendReplayAfterReconnect(t *testing.T) {
	r := newRig(t).start()
	recs := runRecords(t, 5, calm)
	r.write("run-1", 1, recs[:30])
	st := r.open("run-1", 2)
	if first := r.recv(st); first.GetNextSeq() != 30 || first.GetThroughSeq() != 29 {
		t.Fatalf("open answered %v", first)
	}
	r.send(st, frame(recs[20:40])) // a part is known
	if m := r.recv(st); m.GetThroughSeq() != 39 {
		t.Errorf("ack %v", m)
	}
	r.send(st, frame(recs[5:10])) // all is known: the credit still comes back
	if m := r.recv(st); m.GetThroughSeq() != 39 || m.GetCreditBytes() == 0 {
		t.Errorf("ack of a repetition %v", m)
	}
}

func TestAppendRejects(t *testing.T) {
	recs := runRecords(t, 3, calm)
	other := func(r *recorderv1.Record) *recorderv1.Record {
		return &recorderv1.Record{Seq: r.GetSeq(), Type: r.GetType(), Payload: []byte("other")}
	}
	blob := &recorderv1.Record{Seq: 20, Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Blob: &corev1.BlobRef{Digest: make([]byte, 32), SizeBytes: 1 << 20}}
	large := &recorderv1.Record{Seq: 20, Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Payload: make([]byte, 300<<10)}
	tests := []struct {
		name   string
		epoch  uint64
		frame  *recorderv1.AppendRequest
		code   codes.Code
		reason string
	}{
		{"divergent replay", 5, frame([]*recorderv1.Record{other(recs[7])}), codes.Aborted, "DIVERGENT_REPLAY"},
		{"out of order", 5, frame(recs[25:26]), codes.FailedPrecondition, "OUT_OF_ORDER"},
		{"lease lost", 4, frame(recs[20:21]), codes.Aborted, "LEASE_LOST"},
		{"blob that is not there", 5, frame([]*recorderv1.Record{blob}), codes.FailedPrecondition, "BLOB_MISSING"},
		{"large payload", 5, frame([]*recorderv1.Record{large}), codes.InvalidArgument, "RECORD_TOO_LARGE"},
		{"anomaly in events", 5, frame([]*recorderv1.Record{{Seq: 20, Type: recorderv1.RecordType_RECORD_TYPE_ANOMALY}}), codes.InvalidArgument, "INVALID_ARGUMENT"},
		{"no type", 5, frame([]*recorderv1.Record{{Seq: 20}}), codes.InvalidArgument, "INVALID_ARGUMENT"},
		{"a group in a plain run", 5, frame([]*recorderv1.Record{{Seq: 20, Type: 2, ErasureGroup: "g"}}), codes.FailedPrecondition, "INVALID_ARGUMENT"},
		{"second open", 5, &recorderv1.AppendRequest{Frame: &recorderv1.AppendRequest_Open{Open: &recorderv1.Open{Run: "x"}}}, codes.InvalidArgument, "INVALID_ARGUMENT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t).start()
			r.write("run-1", 5, recs[:20])
			st := r.open("run-1", tt.epoch)
			m := r.recv(st)
			if m.GetReject() == nil {
				r.send(st, tt.frame)
				m = r.recv(st)
			}
			if m.GetReject().GetReason() != tt.reason {
				t.Errorf("reject %v, want %s", m, tt.reason)
			}
			_, err := st.Recv()
			if status.Code(err) != tt.code || rpc.Reason(err) != tt.reason {
				t.Errorf("status %v, want %s %s", err, tt.code, tt.reason)
			}
			if resp, err := r.client.AppendBatch(t.Context(), &recorderv1.AppendBatchRequest{Run: "run-1", Epoch: 5, Log: recorderv1.Log_LOG_EVENTS}); err != nil || resp.GetNextSeq() != 20 {
				t.Errorf("the run's next record is %d, %v", resp.GetNextSeq(), err)
			}
		})
	}
}

func TestCreditExceeded(t *testing.T) {
	r := newRig(t)
	r.cfg.CreditBytes = 4 << 20
	r.start()
	release := make(chan struct{})
	r.disk.Set(faulty.Rules{Room: -1, SkipSyncs: true, BeforeSync: func() { <-release }})
	st := r.open("run-1", 1)
	first := make(chan *recorderv1.AppendResponse, 1)
	go func() {
		m, err := st.Recv()
		if err != nil {
			t.Error(err)
		}
		first <- m
	}()
	// The fence's sync waits too: let exactly what Open needs pass.
	for open := false; !open; {
		select {
		case release <- struct{}{}:
		case <-first:
			open = true
		}
	}
	rec := func(seq uint64) []*recorderv1.Record {
		var out []*recorderv1.Record
		for i := range uint64(10) {
			out = append(out, &recorderv1.Record{Seq: seq + i, Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Payload: make([]byte, 200<<10)})
		}
		return out
	}
	for i := range uint64(3) {
		r.send(st, frame(rec(10*i)))
	}
	m := r.recv(st)
	close(release)
	if m.GetReject().GetReason() != "CREDIT_EXCEEDED" {
		t.Errorf("answer %v, want CREDIT_EXCEEDED", m)
	}
}

func TestDiskFullStopsTheWriter(t *testing.T) {
	r := newRig(t).start()
	recs := runRecords(t, 10, calm)
	r.write("run-1", 1, recs[:50])
	st := r.open("run-1", 1)
	r.recv(st)
	r.disk.Set(faulty.Rules{Room: 100, Only: "*.seg", SkipSyncs: true, Free: 1000})
	r.send(st, frame(recs[50:90]))
	if m := r.recv(st); m.GetReject().GetReason() != "LEDGER_DISK_FULL" {
		t.Errorf("answer %v", m)
	}
	_, err := st.Recv()
	if status.Code(err) != codes.ResourceExhausted || !rpc.Temporary(err) {
		t.Errorf("status %v", err)
	}
	if r.service.Health(t.Context()) == nil {
		t.Error("a full disk must show in health")
	}
	r.disk.Set(faulty.Rules{Room: -1, SkipSyncs: true})
	limit := time.After(20 * time.Second)
	for { // the recorder asks the disk once a second
		resp, err := r.client.AppendBatch(t.Context(), &recorderv1.AppendBatchRequest{Run: "run-1", Epoch: 1, Log: recorderv1.Log_LOG_EVENTS, Records: recs[50:90]})
		if err == nil {
			if resp.GetNextSeq() != 90 {
				t.Errorf("next %d", resp.GetNextSeq())
			}
			return
		}
		select {
		case <-limit:
			t.Fatalf("still refused: %v", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func TestTimingIsNumberedByTheRecorder(t *testing.T) {
	r := newRig(t).start()
	for range 2 {
		resp, err := r.client.AppendBatch(t.Context(), &recorderv1.AppendBatchRequest{Run: "run-1", Epoch: 3, Log: recorderv1.Log_LOG_TIMING,
			Records: []*recorderv1.Record{{Type: recorderv1.RecordType_RECORD_TYPE_RESUME, Payload: []byte("again")}}})
		if err != nil || resp.ThroughSeq == nil {
			t.Fatalf("%v, %v", resp, err)
		}
	}
	page, err := r.client.ListEvents(t.Context(), &recorderv1.ListEventsRequest{Run: "run-1", Log: recorderv1.Log_LOG_TIMING,
		Types: []recorderv1.RecordType{recorderv1.RecordType_RECORD_TYPE_RESUME}})
	if err != nil || len(page.GetEvents()) != 2 {
		t.Errorf("%d events, %v", len(page.GetEvents()), err)
	}
	_, err = r.client.AppendBatch(t.Context(), &recorderv1.AppendBatchRequest{Run: "run-1", Epoch: 3, Log: recorderv1.Log_LOG_FINDINGS})
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("a writer of findings: %v", err)
	}
}

func TestSpecIsChecked(t *testing.T) {
	r := newRig(t).start()
	_, err := r.client.AppendBatch(t.Context(), &recorderv1.AppendBatchRequest{Run: "run-1", Log: recorderv1.Log_LOG_EVENTS,
		Spec: &recorderv1.RecorderSpec{Limits: map[string]float64{"kl_max": -1}}})
	if status.Code(err) != codes.InvalidArgument || rpc.Reason(err) != "INVALID_ARGUMENT" {
		t.Errorf("a limit below 0: %v", err)
	}
}
