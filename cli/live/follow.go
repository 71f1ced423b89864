// Package live follows a run: the table that people see, or the events as JSON lines.
package live

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/provenir/provenir/cli/app"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
)

// follower reads a run's events and remembers how far it came.
type follower struct {
	a     *app.App
	c     orchestratorv1.OrchestratorServiceClient
	uid   string
	token string
}

// errEnded is what each gives after the last event.
var errEnded = errors.New("the run has ended")

// each calls f for every event until f or ctx ends it; after the run's last event it gives errEnded. A broken stream is
// resumed from the last token.
func (w *follower) each(ctx context.Context, f func(*orchestratorv1.WatchRunResponse) error) error {
	broken := 0
	for {
		stream, err := w.c.WatchRun(ctx, &orchestratorv1.WatchRunRequest{Run: w.uid, ResumeToken: w.token})
		if err == nil {
			for {
				var m *orchestratorv1.WatchRunResponse
				if m, err = stream.Recv(); err != nil {
					break
				}
				w.token, broken = m.GetResumeToken(), 0
				if err := f(m); err != nil {
					return err
				}
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return errEnded
		case ctx.Err() != nil:
			return context.Canceled
		case status.Code(err) != codes.Unavailable || broken > 10:
			return err
		}
		broken++
		w.a.Note("the connection broke; resuming")
		if err := pause(ctx, broken); err != nil {
			return err
		}
	}
}

func (w *follower) get(ctx context.Context) (*orchestratorv1.Run, error) {
	got, err := w.c.GetRun(ctx, &orchestratorv1.GetRunRequest{Run: w.uid})
	return got.GetRun(), err
}
