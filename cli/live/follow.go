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

// Follow prints a run's events until it has ended and gives the run as it then is. A broken stream is resumed from the
// last token.
func Follow(ctx context.Context, a *app.App, c orchestratorv1.OrchestratorServiceClient, uid string) (*orchestratorv1.Run, error) {
	t := &table{a: a}
	token, broken := "", 0
	for {
		stream, err := c.WatchRun(ctx, &orchestratorv1.WatchRunRequest{Run: uid, ResumeToken: token})
		if err == nil {
			for {
				var m *orchestratorv1.WatchRunResponse
				if m, err = stream.Recv(); err != nil {
					break
				}
				token, broken = m.GetResumeToken(), 0
				if err := t.event(m); err != nil {
					return nil, err
				}
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			got, err := c.GetRun(ctx, &orchestratorv1.GetRunRequest{Run: uid})
			return got.GetRun(), err
		case ctx.Err() != nil:
			return nil, context.Canceled
		case status.Code(err) != codes.Unavailable || broken > 10:
			return nil, err
		}
		broken++
		a.Note("the connection broke; resuming")
		if err := pause(ctx, broken); err != nil {
			return nil, err
		}
	}
}
