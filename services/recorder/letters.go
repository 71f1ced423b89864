package recorder

import (
	"context"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/services/recorder/alert"
)

// ListAlerts lists what was told to the sinks, what waits, and what nobody took.
func (s *Service) ListAlerts(ctx context.Context, req *recorderv1.ListAlertsRequest) (*recorderv1.ListAlertsResponse, error) {
	f := alert.Filter{Tenant: tenant(ctx), Sink: req.GetSink(), States: req.GetStates(), Limit: int(req.GetPageSize())}
	if f.Limit == 0 {
		f.Limit = defaultPage
	}
	name := "alerts/" + f.Tenant
	if t := req.GetPageToken(); t != "" {
		at, err := s.d.Tokens.Position(name, t)
		if err != nil {
			return nil, problem(err)
		}
		f.Before = int64(at)
	}
	size := f.Limit
	f.Limit++
	found, err := s.alerter.List(ctx, s.d.DB, f)
	if err != nil {
		return nil, err
	}
	out := &recorderv1.ListAlertsResponse{Alerts: found}
	if len(found) > size {
		out.Alerts = found[:size]
		out.NextPageToken = s.d.Tokens.Token(name, uint64(found[size-1].GetId()))
	}
	return out, nil
}

// RetryAlerts puts dead letters back into their queues.
func (s *Service) RetryAlerts(ctx context.Context, req *recorderv1.RetryAlertsRequest) (*recorderv1.RetryAlertsResponse, error) {
	if req.GetAll() == (len(req.GetIds()) > 0) {
		return nil, refused("ids", "name dead letters by their ids, or ask for all of them")
	}
	n, err := s.alerter.Retry(ctx, tenant(ctx), req.GetSink(), req.GetIds(), s.d.Clock.Now())
	if err != nil {
		return nil, err
	}
	s.taken.ring() // the workers may be asleep for a minute
	return &recorderv1.RetryAlertsResponse{Retried: uint64(n)}, nil
}
