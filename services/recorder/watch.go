package recorder

import (
	"context"
	"errors"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/publish"
	"github.com/provenir/provenir/services/recorder/store"
)

func corrupt(err error) (*store.Fault, bool) {
	var f *store.Fault
	ok := errors.As(err, &f) && f.Kind == store.Corrupt
	return f, ok
}

// WatchEvents follows a log from a token on. It ends after the last record of a sealed run's events.
func (s *Service) WatchEvents(req *recorderv1.WatchEventsRequest, stream recorderv1.RecorderService_WatchEventsServer) error {
	ctx := stream.Context()
	l, log, err := s.reading(ctx, req.GetRun(), req.GetLog())
	if err != nil {
		return problem(err)
	}
	next, name := uint64(0), l.stream(log.Kind())
	if t := req.GetResumeToken(); t != "" {
		if next, err = s.d.Tokens.Position(name, t); err != nil {
			return problem(err)
		}
	}
	for {
		changed := log.Changed()
		// Sealed is asked for before the end is read: what is read after it is all there will ever be.
		sealed := log.Kind() == ledger.Events && l.run.Sealed()
		end := log.Durable()
		for f, err := range log.Events(ctx, store.Query{From: next, To: end, Types: types(req.GetTypes())}) {
			if err != nil {
				return problem(err)
			}
			e := s.event(l, log.Kind(), f)
			if err := stream.Send(&recorderv1.WatchEventsResponse{Event: e, ResumeToken: e.GetResumeToken()}); err != nil {
				return err
			}
		}
		next = max(next, end)
		if sealed {
			return stream.Send(&recorderv1.WatchEventsResponse{ResumeToken: s.d.Tokens.Token(name, next), Sealed: true})
		}
		beat, err := s.await(ctx, changed)
		if err != nil {
			return err
		}
		if beat {
			if err := stream.Send(&recorderv1.WatchEventsResponse{ResumeToken: s.d.Tokens.Token(name, next)}); err != nil {
				return err
			}
		}
	}
}

// await waits for news; beat tells that the heartbeat came first.
func (s *Service) await(ctx context.Context, news <-chan struct{}) (beat bool, err error) {
	t := s.d.Clock.NewTimer(s.cfg.Heartbeat)
	defer t.Stop()
	select {
	case <-news:
		return false, nil
	case <-t.C():
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// watchPage is how many anomalies are read at once.
const watchPage = 100

// WatchAnomalies follows what is found. Without a token it begins with what comes next.
func (s *Service) WatchAnomalies(req *recorderv1.WatchAnomaliesRequest, stream recorderv1.RecorderService_WatchAnomaliesServer) error {
	ctx := stream.Context()
	f := publish.Filter{Tenant: tenant(ctx), Run: req.GetRun(), Severity: req.GetMinSeverity(), Limit: watchPage}
	name := "anomalies/" + f.Tenant
	var err error
	if t := req.GetResumeToken(); t != "" {
		f.After, err = s.d.Tokens.Position(name, t)
	} else {
		f.After, err = publish.Last(ctx, s.d.DB)
	}
	if err != nil {
		return problem(err)
	}
	beat := true // the first token comes at once, so that a watch can resume before anything was found
	for {
		news := s.taken.wait()
		rows, err := publish.List(ctx, s.d.DB, f)
		if err != nil {
			return err
		}
		for _, r := range rows {
			f.After, beat = r.Pos, false
			if err := stream.Send(&recorderv1.WatchAnomaliesResponse{Anomaly: r.Anomaly, ResumeToken: s.d.Tokens.Token(name, r.Pos)}); err != nil {
				return err
			}
		}
		if len(rows) == watchPage {
			continue
		}
		if beat {
			if err := stream.Send(&recorderv1.WatchAnomaliesResponse{ResumeToken: s.d.Tokens.Token(name, f.After)}); err != nil {
				return err
			}
		}
		if beat, err = s.await(ctx, news); err != nil {
			return err
		}
	}
}
