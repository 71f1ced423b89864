package orchestrator

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/orchestrator/tracked"
)

// findingsEvery is how often a watch looks for findings that no step brought.
const findingsEvery = time.Second

// trackedWatch follows the two logs of a tracked run. Steps come from events. What was found comes from findings, with the
// step after which it is known, or by itself where no step follows.
type trackedWatch struct {
	s      *Service
	run    *orchestratorv1.Run
	out    orchestratorv1.OrchestratorService_WatchRunServer
	events string // the recorder's token

	found []*recorderv1.Anomaly // read and not told, in the order of the log
	seqs  []uint64              // their numbers in findings
	next  uint64                // number in findings of what is read next
	told  uint64                // number in findings of the first that was not told
}

// watchTracked is WatchRun of a tracked run. A token is the recorder's for events, a dot, and ours for findings.
func (s *Service) watchTracked(r *orchestratorv1.Run, token string, out orchestratorv1.OrchestratorService_WatchRunServer) error {
	w := &trackedWatch{s: s, run: r, out: out}
	if token != "" {
		events, findings, _ := strings.Cut(token, ".")
		at, err := s.tokens.Position(w.stream(), findings)
		if err != nil {
			return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_RESUME_TOKEN_FOREIGN, "resume_token: %w", err)
		}
		w.events, w.next, w.told = events, at, at
	} else if err := w.send(&orchestratorv1.WatchRunResponse{Event: &orchestratorv1.WatchRunResponse_Run{Run: r}}); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(out.Context())
	defer cancel()
	stream, err := s.d.Peers.Recorder.WatchEvents(ctx, &recorderv1.WatchEventsRequest{Run: r.GetUid(), Types: tracked.Types, ResumeToken: w.events})
	if err != nil {
		return err
	}
	if err := w.look(ctx); err != nil {
		return err
	}
	news := make(chan received)
	go func() {
		defer close(news)
		for {
			m, err := stream.Recv()
			select {
			case news <- received{m, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	defer func() { // the reader is gone before the call is
		cancel()
		for range news { //nolint:revive // what comes now is for nobody
		}
	}()
	return w.follow(ctx, news)
}

type received struct {
	m   *recorderv1.WatchEventsResponse
	err error
}

func (w *trackedWatch) follow(ctx context.Context, news <-chan received) error {
	// One timer over all events: a run that makes ten steps a second would else never be looked at until its end.
	t := w.s.d.Clock.NewTimer(findingsEvery)
	defer func() { t.Stop() }()
	for {
		var got received
		select {
		case got = <-news:
		case <-t.C():
			if err := w.idle(ctx); err != nil {
				return err
			}
			t = w.s.d.Clock.NewTimer(findingsEvery)
			continue
		case <-ctx.Done():
			return ctx.Err()
		}
		if got.err != nil {
			if errors.Is(got.err, io.EOF) {
				return nil
			}
			return got.err
		}
		if err := w.take(got.m); err != nil {
			return err
		}
		if got.m.GetSealed() {
			return w.end(ctx)
		}
	}
}

// take sends what the log events brought: a step, an evaluation, or a heartbeat.
func (w *trackedWatch) take(m *recorderv1.WatchEventsResponse) error {
	w.events = m.GetResumeToken()
	if m.GetEvent() == nil {
		if m.GetSealed() {
			return nil
		}
		return w.send(&orchestratorv1.WatchRunResponse{})
	}
	var with []*recorderv1.Anomaly
	if m.GetEvent().GetType() == recorderv1.RecordType_RECORD_TYPE_STEP {
		with = w.until(m.GetEvent().GetSeq())
	}
	e, err := tracked.Event(w.run.GetTracked().GetMethod(), m.GetEvent(), with)
	if err != nil || e == nil {
		return err
	}
	return w.send(e)
}

// until takes the findings that events up to seq have brought.
func (w *trackedWatch) until(seq uint64) []*recorderv1.Anomaly {
	n := 0
	for n < len(w.found) && w.found[n].GetSeq() <= seq {
		n++
	}
	out := w.found[:n:n]
	w.drop(n)
	return out
}

func (w *trackedWatch) drop(n int) {
	if n == 0 {
		return
	}
	w.told = w.seqs[n-1] + 1
	w.found, w.seqs = w.found[n:], w.seqs[n:]
	if len(w.found) == 0 {
		w.told = w.next
	}
}

// idle tells what was found and no step has taken along within a second, and looks for more.
func (w *trackedWatch) idle(ctx context.Context) error {
	for len(w.found) > 0 {
		a := w.found[0]
		w.drop(1)
		if err := w.send(&orchestratorv1.WatchRunResponse{Event: &orchestratorv1.WatchRunResponse_Anomaly{Anomaly: a}}); err != nil {
			return err
		}
	}
	return w.look(ctx)
}

// look reads findings that are new.
func (w *trackedWatch) look(ctx context.Context) error {
	for {
		page, err := w.s.d.Peers.Recorder.ListEvents(ctx, &recorderv1.ListEventsRequest{Run: w.run.GetUid(), Log: recorderv1.Log_LOG_FINDINGS, FromSeq: w.next,
			Types: []recorderv1.RecordType{recorderv1.RecordType_RECORD_TYPE_ANOMALY}})
		if err != nil {
			return err
		}
		for _, e := range page.GetEvents() {
			w.next = e.GetSeq() + 1
			a, err := tracked.Found(e)
			if err != nil {
				return err
			}
			if a != nil {
				w.found, w.seqs = append(w.found, a), append(w.seqs, e.GetSeq())
			}
		}
		if len(w.found) == 0 {
			w.told = w.next
		}
		if page.GetNextPageToken() == "" {
			return nil
		}
	}
}

// end tells the rest, and how the run ended.
func (w *trackedWatch) end(ctx context.Context) error {
	if err := w.look(ctx); err != nil {
		return err
	}
	if err := w.idle(ctx); err != nil {
		return err
	}
	r, err := w.s.find(ctx, w.run.GetUid())
	if err != nil {
		return err
	}
	if err := w.s.complete(ctx, r); err != nil {
		return err
	}
	return w.send(&orchestratorv1.WatchRunResponse{Event: &orchestratorv1.WatchRunResponse_Run{Run: r}})
}

func (w *trackedWatch) stream() string { return "tracked/" + w.run.GetUid() }

func (w *trackedWatch) send(m *orchestratorv1.WatchRunResponse) error {
	m.ResumeToken = w.events + "." + w.s.tokens.Token(w.stream(), w.told)
	return w.out.Send(m)
}
