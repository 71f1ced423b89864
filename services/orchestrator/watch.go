package orchestrator

import (
	"time"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// heartbeat keeps a watch stream alive and carries a fresh token.
const heartbeat = 5 * time.Second

// WatchRun sends a run's events after the token, then follows until the run has ended.
func (s *Service) WatchRun(req *orchestratorv1.WatchRunRequest, out orchestratorv1.OrchestratorService_WatchRunServer) error {
	ctx := out.Context()
	r, err := s.find(ctx, req.GetRun())
	if err != nil {
		return err
	}
	if r.GetTracked() != nil {
		return s.watchTracked(r, req.GetResumeToken(), out)
	}
	stream := "watch/" + r.GetUid()
	at := uint64(0)
	if t := req.GetResumeToken(); t != "" {
		if at, err = s.tokens.Position(stream, t); err != nil {
			return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_RESUME_TOKEN_FOREIGN, "resume_token: %w", err)
		}
	}
	for {
		changed := s.board.Changed(r.GetUid())
		now, err := s.get(ctx, r.GetUid()) // before its events: what an ended run has is all there
		if err != nil {
			return err
		}
		if at, err = s.send(out, r.GetUid(), stream, at); err != nil || run.Ended(now.GetState()) {
			return err
		}
		t := s.d.Clock.NewTimer(heartbeat)
		select {
		case <-changed:
			t.Stop()
		case <-t.C():
			if err := out.Send(&orchestratorv1.WatchRunResponse{ResumeToken: s.tokens.Token(stream, at)}); err != nil {
				return err
			}
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		}
	}
}

// watchPage is how many events are read at once: what a slow reader costs.
const watchPage = 100

// send sends every event after a position and gives the last one's.
func (s *Service) send(out orchestratorv1.OrchestratorService_WatchRunServer, uid, stream string, at uint64) (uint64, error) {
	for {
		events, positions, err := s.board.Events(out.Context(), uid, at, watchPage)
		if err != nil {
			return at, err
		}
		for i, e := range events {
			at = positions[i]
			e.ResumeToken = s.tokens.Token(stream, at)
			if err := out.Send(e); err != nil {
				return at, err
			}
		}
		if len(events) < watchPage {
			return at, nil
		}
	}
}
