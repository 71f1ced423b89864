package recorder

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/publish"
	"github.com/provenir/provenir/services/recorder/store"
)

// ListAnomalies lists what was found, oldest first.
func (s *Service) ListAnomalies(ctx context.Context, req *recorderv1.ListAnomaliesRequest) (*recorderv1.ListAnomaliesResponse, error) {
	f := publish.Filter{Tenant: tenant(ctx), Run: req.GetRun(), Severity: req.GetMinSeverity(), Kinds: req.GetKinds(), OpenOnly: req.GetOpenOnly()}
	size := int(req.GetPageSize())
	if size == 0 {
		size = defaultPage
	}
	f.Limit = size + 1 // one more tells whether there is a next page
	name := "list-anomalies/" + f.Tenant
	var err error
	if t := req.GetPageToken(); t != "" {
		if f.After, err = s.d.Tokens.Position(name, t); err != nil {
			return nil, problem(err)
		}
	}
	rows, err := publish.List(ctx, s.d.DB, f)
	if err != nil {
		return nil, err
	}
	resp := &recorderv1.ListAnomaliesResponse{}
	for i, r := range rows {
		if i == size {
			resp.NextPageToken = s.d.Tokens.Token(name, rows[size-1].Pos)
			break
		}
		resp.Anomalies = append(resp.Anomalies, r.Anomaly)
	}
	return resp, nil
}

// AckAnomaly notes who has seen an incident: in the log findings first, then in the table.
func (s *Service) AckAnomaly(ctx context.Context, req *recorderv1.AckAnomalyRequest) (*recorderv1.AckAnomalyResponse, error) {
	run, err := publish.RunOf(ctx, s.d.DB, tenant(ctx), req.GetIncident())
	if err != nil {
		return nil, problem(err)
	}
	l, err := s.get(ctx, tenant(ctx), run, false)
	if err != nil {
		return nil, problem(err)
	}
	caller, _ := identity.FromContext(ctx)
	ack := &recorderv1.Ack{Who: caller.Name, Note: req.GetNote(), Until: req.GetUntil()}
	// The record names its incident and its time besides what the contract's Ack says.
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(ack)
	if err != nil {
		return nil, fmt.Errorf("acknowledge %s: %w", req.GetIncident(), err)
	}
	record := store.Record{Type: ledger.Ack, Payload: ackRecord(req.GetIncident(), timestamppb.New(s.d.Clock.Now()), body)}
	findings := l.log(ledger.Findings)
	if _, err := findings.AppendNext(ctx, []store.Record{record}); err != nil {
		return nil, problem(err)
	}
	if err := findings.Sync(ctx); err != nil {
		return nil, problem(err)
	}
	if err := publish.Acknowledge(ctx, s.d.DB, tenant(ctx), req.GetIncident(), body); err != nil {
		return nil, err
	}
	return &recorderv1.AckAnomalyResponse{Ack: ack}, nil
}

// ackRecord is the payload of an ACK record: a line with incident and time, then the Ack message.
func ackRecord(incident string, at *timestamppb.Timestamp, ack []byte) []byte {
	return append(fmt.Appendf(nil, "%s %d.%09d\n", incident, at.GetSeconds(), at.GetNanos()), ack...)
}
