package orchestrator

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/grpctest"
	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/internal/rpc"
)

// trackers is a recorder that has runs of trackers and nothing else.
type trackers struct {
	recorderv1.UnimplementedRecorderServiceServer
	mu    sync.Mutex
	runs  map[string]*trackedFake
	rang  chan struct{} // closed at a change
	away  error
	asked int
}

type trackedFake struct {
	run              *recorderv1.TrackedRun
	events, findings []*recorderv1.Event
}

func newTrackers() *trackers {
	return &trackers{runs: map[string]*trackedFake{}, rang: make(chan struct{})}
}

func (f *trackers) serve(t *testing.T) recorderv1.RecorderServiceClient {
	return recorderv1.NewRecorderServiceClient(grpctest.Serve(t, func(s grpc.ServiceRegistrar) { recorderv1.RegisterRecorderServiceServer(s, f) }))
}

// begin adds a run that was made at a time; a tracker writes it.
func (f *trackers) begin(uid, name string) {
	ms, _ := idgen.Time(uid)
	f.change(func() {
		f.runs[uid] = &trackedFake{run: &recorderv1.TrackedRun{Run: uid, Name: name, Method: "grpo", State: recorderv1.TrackedState_TRACKED_STATE_WRITING,
			CreateTime: timestamppb.New(time.UnixMilli(int64(ms)))}}
	})
}

func (f *trackers) change(how func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how()
	close(f.rang)
	f.rang = make(chan struct{})
}

func must(m proto.Message) []byte {
	b, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return b
}

// step adds a step, and before it a finding where kind is not empty.
func (f *trackers) step(uid string, n uint64, kind string) {
	f.change(func() {
		r := f.runs[uid]
		seq := uint64(len(r.events))
		if kind != "" {
			r.findings = append(r.findings, &recorderv1.Event{Seq: uint64(len(r.findings)), Type: recorderv1.RecordType_RECORD_TYPE_ANOMALY,
				Payload: must(&recorderv1.Anomaly{Kind: kind, Seq: seq, Event: recorderv1.IncidentEvent_INCIDENT_EVENT_OPEN})})
		}
		r.events = append(r.events, &recorderv1.Event{Seq: seq, Type: recorderv1.RecordType_RECORD_TYPE_STEP,
			Payload: must(&corev1.StepRecord{Facts: must(&corev1.StepFacts{Step: n, Reason: "NOT_REPORTED"})})})
		r.run.Steps++
	})
}

func (f *trackers) eval(uid string, x float64) {
	f.change(func() {
		r := f.runs[uid]
		r.events = append(r.events, &recorderv1.Event{Seq: uint64(len(r.events)), Type: recorderv1.RecordType_RECORD_TYPE_EVAL,
			Payload: must(&evaluatorv1.Evaluation{Step: r.run.GetSteps(), Estimates: []*evaluatorv1.Estimate{{Metric: "accuracy", Value: &x}}})})
	})
}

// found adds a finding that no event brought.
func (f *trackers) found(uid, kind string, what recorderv1.IncidentEvent) {
	f.change(func() {
		r := f.runs[uid]
		r.findings = append(r.findings, &recorderv1.Event{Seq: uint64(len(r.findings)), Type: recorderv1.RecordType_RECORD_TYPE_ANOMALY,
			Payload: must(&recorderv1.Anomaly{Kind: kind, Seq: 1 << 40, Event: what})})
	})
}

func (f *trackers) end(uid string, s recorderv1.TrackedState) {
	f.change(func() { f.runs[uid].run.State = s })
}

func (f *trackers) get(uid string) (*trackedFake, error) {
	f.asked++
	if f.away != nil {
		return nil, f.away
	}
	r := f.runs[uid]
	if r == nil {
		return nil, rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND, "no run %s", uid)
	}
	return r, nil
}

func (f *trackers) sorted() []*trackedFake {
	var out []*trackedFake
	for _, r := range f.runs {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *trackedFake) int { return strings.Compare(b.run.GetRun(), a.run.GetRun()) }) // by time
	return out
}

func (f *trackers) GetTrackedRun(_ context.Context, req *recorderv1.GetTrackedRunRequest) (*recorderv1.GetTrackedRunResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.sorted() {
		if req.GetRun() == "@last" || strings.HasPrefix(r.run.GetRun(), req.GetRun()) {
			_, err := f.get(r.run.GetRun())
			return &recorderv1.GetTrackedRunResponse{Run: proto.CloneOf(r.run)}, err
		}
	}
	_, err := f.get(req.GetRun())
	return nil, err
}

func (f *trackers) ListTrackedRuns(_ context.Context, req *recorderv1.ListTrackedRunsRequest) (*recorderv1.ListTrackedRunsResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	if f.away != nil {
		return nil, f.away
	}
	out := &recorderv1.ListTrackedRunsResponse{}
	for _, r := range f.sorted() {
		ms := r.run.GetCreateTime().AsTime().UnixMilli()
		behind := req.GetBehindRun() == "" || ms < req.GetBehindTime() || ms == req.GetBehindTime() && r.run.GetRun() < req.GetBehindRun()
		wanted := len(req.GetStates()) == 0 || slices.Contains(req.GetStates(), r.run.GetState())
		method := len(req.GetMethods()) == 0 || slices.Contains(req.GetMethods(), r.run.GetMethod())
		if behind && wanted && method && len(out.GetRuns()) < int(req.GetPageSize()) {
			out.Runs = append(out.Runs, proto.CloneOf(r.run))
		}
	}
	return out, nil
}

func (f *trackers) ListEvents(_ context.Context, req *recorderv1.ListEventsRequest) (*recorderv1.ListEventsResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.get(req.GetRun())
	if err != nil {
		return nil, err
	}
	from := r.events
	if req.GetLog() == recorderv1.Log_LOG_FINDINGS {
		from = r.findings
	}
	out := &recorderv1.ListEventsResponse{}
	for _, e := range from {
		if e.GetSeq() >= req.GetFromSeq() && slices.Contains(req.GetTypes(), e.GetType()) {
			out.Events = append(out.Events, e)
		}
	}
	return out, nil
}

func (f *trackers) GetRunSummary(_ context.Context, req *recorderv1.GetRunSummaryRequest) (*recorderv1.GetRunSummaryResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.get(req.GetRun())
	return &recorderv1.GetRunSummaryResponse{Summary: &recorderv1.RunSummary{Checkpoints: []*recorderv1.LogCheckpoint{
		{Log: recorderv1.Log_LOG_EVENTS, Note: "note", Root: []byte("root")}, {Log: recorderv1.Log_LOG_FINDINGS, Note: "other", Root: []byte("other")}}}}, err
}

// WatchEvents sends what is there after a token, which is a number here, and what comes.
func (f *trackers) WatchEvents(req *recorderv1.WatchEventsRequest, out recorderv1.RecorderService_WatchEventsServer) error {
	next := len(req.GetResumeToken()) // a token of n characters stands for n events
	for {
		f.mu.Lock()
		r, err := f.get(req.GetRun())
		if err != nil {
			f.mu.Unlock()
			return err
		}
		rang, ended := f.rang, r.run.GetState() != recorderv1.TrackedState_TRACKED_STATE_WRITING
		events := slices.Clone(r.events)
		f.mu.Unlock()
		for ; next < len(events); next++ {
			m := &recorderv1.WatchEventsResponse{Event: events[next], ResumeToken: strings.Repeat("x", next+1)}
			if err := out.Send(m); err != nil {
				return err
			}
		}
		if ended {
			return out.Send(&recorderv1.WatchEventsResponse{Sealed: true, ResumeToken: strings.Repeat("x", next)})
		}
		select {
		case <-rang:
		case <-out.Context().Done():
			return out.Context().Err()
		}
	}
}

// passes is governance that has issued some passports.
type passes struct {
	governancev1.GovernanceServiceClient
	of    map[string]*governancev1.Passport
	asked []*governancev1.SealBomRequest
}

func (p *passes) ListPassports(_ context.Context, req *governancev1.ListPassportsRequest, _ ...grpc.CallOption) (*governancev1.ListPassportsResponse, error) {
	out := &governancev1.ListPassportsResponse{}
	if x := p.of[req.GetRunId()]; x != nil {
		out.Passports = append(out.Passports, x)
	}
	return out, nil
}
