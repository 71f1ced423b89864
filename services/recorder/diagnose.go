package recorder

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/doctor"
	"github.com/provenir/provenir/services/recorder/metric"
	"github.com/provenir/provenir/services/recorder/monitor"
	"github.com/provenir/provenir/services/recorder/publish"
	"github.com/provenir/provenir/services/recorder/store"
)

// Diagnose says what is wrong with a run, or with rewards that the caller has, and what to do next. Of a run it takes the
// rewards of the newest attempt and the incidents that are open; what was measured elsewhere comes from the caller.
func (s *Service) Diagnose(ctx context.Context, req *recorderv1.DiagnoseRequest) (*recorderv1.DiagnoseResponse, error) {
	in := doctor.Input{Rewards: req.GetRewards(), Heldout: req.GetHeldout(), HackingRate: req.HackingRate, Inspected: req.HackingInspected,
		Contamination: req.ContaminationRate, AgeDays: req.DataAgeDays, Limits: req.GetLimits()}
	if req.RewardRange != nil {
		if in.Span = req.GetRewardRange(); in.Span == 0 {
			return nil, refused("reward_range", "want a width above 0")
		}
	}
	for _, k := range req.GetAnomalies() {
		in.Incidents = append(in.Incidents, doctor.Incident{Kind: k})
	}
	for _, x := range req.GetSlices() {
		in.Slices = append(in.Slices, doctor.Slice{Name: x.GetSlice(), Failures: x.GetFailures(), Support: x.GetSupport(), Thin: x.GetThin()})
	}
	if req.GetRun() != "" {
		if len(in.Rewards)+len(in.Heldout)+len(in.Incidents) > 0 {
			return nil, refused("run", "a run has rewards and anomalies of its own; give either the run or those")
		}
		if err := s.history(ctx, req.GetRun(), &in); err != nil {
			return nil, problem(err)
		}
	}
	d, err := doctor.Diagnose(in)
	var bad *doctor.InputError
	if errors.As(err, &bad) {
		return nil, refused(bad.Field, bad.Reason)
	}
	if err != nil {
		return nil, err
	}
	return &recorderv1.DiagnoseResponse{Diagnosis: diagnosisProto(&d)}, nil
}

func refused(field, why string) error {
	return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%s: %s", field, why).Field(field, why)
}

// history reads a run's rewards and open incidents.
func (s *Service) history(ctx context.Context, run string, in *doctor.Input) error {
	_, log, err := s.reading(ctx, run, recorderv1.Log_LOG_EVENTS)
	if err != nil {
		return err
	}
	h := rewardHistory{}
	for f, err := range log.Events(ctx, store.Query{Types: []ledger.RecordType{ledger.Step}}) {
		if err != nil {
			return err
		}
		if err := readable(log, f); err != nil {
			return err
		}
		if err := h.step(f.Stored); err != nil {
			return fmt.Errorf("STEP record %d: %w", f.Seq, err)
		}
	}
	in.Rewards, in.Heldout = h.paid, h.heldout
	in.Incidents, err = s.openIncidents(ctx, run)
	return err
}

// rewardHistory keeps the rewards of the newest attempt: one before a rollback says nothing about the policy that goes on.
type rewardHistory struct {
	branch        uint32
	paid, heldout []float64
}

func (h *rewardHistory) step(payload []byte) error {
	var rec corev1.StepRecord
	var facts corev1.StepFacts
	if err := proto.Unmarshal(payload, &rec); err != nil {
		return err
	}
	if err := proto.Unmarshal(rec.GetFacts(), &facts); err != nil {
		return err
	}
	if facts.GetBranch() != h.branch {
		h.branch, h.paid, h.heldout = facts.GetBranch(), nil, nil
	}
	for _, m := range facts.GetMetrics() {
		v, ok := monitor.Value(m)
		if !ok || v.Scope == "eval" {
			continue
		}
		switch v.Name {
		case metric.RewardMean:
			h.paid = append(h.paid, v.X)
		case metric.HeldoutMean:
			h.heldout = append(h.heldout, v.X)
		}
	}
	return nil
}

// openIncidents gives each incident once, with its newest severity.
func (s *Service) openIncidents(ctx context.Context, run string) ([]doctor.Incident, error) {
	f := publish.Filter{Tenant: tenant(ctx), Run: run, OpenOnly: true, Limit: 1000}
	var out []doctor.Incident
	at := map[string]int{}
	for {
		rows, err := publish.List(ctx, s.d.DB, f)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			a := r.Anomaly
			f.After = r.Pos
			if a.GetSeverity() < corev1.Severity_SEVERITY_WARN || !doctor.Known(a.GetKind()) {
				continue // a kind of a newer recorder: it stays in ListAnomalies
			}
			onset := a.GetOnsetStep()
			x := doctor.Incident{Kind: a.GetKind(), Detail: a.GetDetail(), UID: a.GetIncident(), Onset: &onset, Warn: a.GetSeverity() < corev1.Severity_SEVERITY_CRITICAL}
			if i, there := at[x.UID]; there {
				out[i] = x
				continue
			}
			at[x.UID] = len(out)
			out = append(out, x)
		}
		if len(rows) < f.Limit {
			return out, nil
		}
	}
}

func diagnosisProto(d *doctor.Diagnosis) *recorderv1.Diagnosis {
	out := &recorderv1.Diagnosis{Category: d.Category, Decision: d.Decision, Confidence: d.Confidence, Action: d.Action, Missing: d.Missing, Findings: d.Findings,
		Trend: trendProto(&d.Trend), HeldoutTrend: trendProto(&d.HeldoutTrend)}
	for i := range d.Causes {
		c := &d.Causes[i]
		out.Causes = append(out.Causes, &recorderv1.Cause{Category: c.Category, Kind: c.Kind, OnsetStep: c.Onset, Weight: c.Weight, Detail: c.Detail,
			Incident: c.Incident, ExplainedBy: c.ExplainedBy})
	}
	if r := d.Request; r != nil {
		out.DataRequest = &recorderv1.DataRequest{Slices: r.Slices, RowsPerSlice: r.RowsPerSlice, FreshnessDays: r.FreshnessDays, Verifier: r.Verifier}
	}
	return out
}

func trendProto(t *doctor.Trend) *recorderv1.Trend {
	out := &recorderv1.Trend{Verdict: t.Verdict, N: uint64(t.N)}
	if t.Measured {
		out.Slope, out.SlopeLow, out.SlopeHigh, out.P, out.TotalChange = &t.Slope, &t.Low, &t.High, &t.P, &t.Change
	}
	return out
}
