package verifier

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/verifier/catalog"
	"github.com/provenir/provenir/services/verifier/harden"
	"github.com/provenir/provenir/services/verifier/validity"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// CheckReliability tries a verifier with labelled and generated probes.
func (s *Service) CheckReliability(r *verifierv1.CheckReliabilityRequest, stream verifierv1.VerifierService_CheckReliabilityServer) error {
	compiled, err := s.specs(stream.Context()).get(r.GetSpec())
	if err != nil {
		return err
	}
	probes := make([]harden.Probe, 0, len(r.GetProbesJson()))
	for i, raw := range r.GetProbesJson() {
		p, err := harden.ReadProbe(raw)
		if err != nil {
			return invalid("probes_json", "probe %d: %w", i+1, err)
		}
		probes = append(probes, p)
	}
	var sent error
	report, err := harden.Check(stream.Context(), harden.Config{
		Verifier: compiled.Name, Stage: r.GetStage(), MaxFPR: r.GetMaxFpr(), Seed: r.GetSeed(), Mutations: int(r.GetMutations()),
		Progress: func(done, total uint64, phase string) {
			sent = errors.Join(sent, stream.Send(&verifierv1.CheckReliabilityResponse{Step: &verifierv1.CheckReliabilityResponse_Progress{
				Progress: &verifierv1.CheckProgress{Done: done, Total: total, Phase: phase}}}))
		},
	}, probes, s.tryer(compiled))
	switch {
	case errors.Is(err, harden.ErrNoProbes):
		return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_INSUFFICIENT_PROBES, "%w", err)
	case err != nil || sent != nil:
		return errors.Join(err, sent)
	}
	return stream.Send(&verifierv1.CheckReliabilityResponse{Step: &verifierv1.CheckReliabilityResponse_Report{Report: reliabilityMessage(report, compiled)}})
}

// tryer judges without counting, remembering or storing: nobody is paid for a probe.
func (s *Service) tryer(compiled *catalog.Compiled) func(context.Context, *verdict.Candidate) verdict.Verdict {
	return func(ctx context.Context, c *verdict.Candidate) verdict.Verdict {
		v, _ := s.decide(ctx, compiled, c, s.cfg.Deadline)
		return v
	}
}

func rate(r harden.Rate) *verifierv1.Rate {
	return &verifierv1.Rate{Hits: r.Hits, Trials: r.Trials, Low: r.Low, High: r.High}
}

func reliabilityMessage(r *harden.Report, compiled *catalog.Compiled) *verifierv1.ReliabilityReport {
	m := &verifierv1.ReliabilityReport{Verdict: string(r.Verdict), Reasons: r.Reasons, VerifierDigest: compiled.Digest[:]}
	if r.FalsePositives.Trials > 0 {
		m.FalsePositiveRate = rate(r.FalsePositives)
	}
	if r.FalseNegatives.Trials > 0 {
		m.FalseNegativeRate = rate(r.FalseNegatives)
	}
	for _, mode := range r.Modes {
		out := &verifierv1.ReliabilityMode{Name: mode.Name, Held: rate(mode.Held), Blocking: mode.Blocking}
		for _, f := range mode.Failures {
			out.Failures = append(out.Failures, &verifierv1.ReliabilityFailure{Probe: f.Probe, Response: f.Response, Reference: f.Reference, Wanted: f.Wanted, Got: f.Got})
		}
		m.Modes = append(m.Modes, out)
	}
	return m
}

// CheckRewardValidity compares a reward with controls over logged rollouts.
func (s *Service) CheckRewardValidity(r *verifierv1.CheckRewardValidityRequest, stream verifierv1.VerifierService_CheckRewardValidityServer) error {
	compiled, err := s.specs(stream.Context()).get(r.GetSpec())
	if err != nil {
		return err
	}
	rollouts := make([]validity.Rollout, 0, len(r.GetRolloutsJson()))
	for i, raw := range r.GetRolloutsJson() {
		x, err := validity.Read(raw)
		if err != nil {
			return invalid("rollouts_json", "rollout %d: %w", i+1, err)
		}
		rollouts = append(rollouts, x)
	}
	var sent error
	report, err := validity.Check(stream.Context(), validity.Config{
		Seed: r.GetSeed(), Permutations: int(r.GetPermutations()),
		Progress: func(done, total uint64, phase string) {
			sent = errors.Join(sent, stream.Send(&verifierv1.CheckRewardValidityResponse{Step: &verifierv1.CheckRewardValidityResponse_Progress{
				Progress: &verifierv1.CheckProgress{Done: done, Total: total, Phase: phase}}}))
		},
	}, rollouts, s.tryer(compiled))
	switch {
	case errors.Is(err, validity.ErrNoControls):
		return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_NO_CONTROLS, "%w", err)
	case err != nil || sent != nil:
		return errors.Join(err, sent)
	}
	m := &verifierv1.RewardValidityReport{
		Verdict: report.Verdict, Reasons: report.Reasons, Binding: report.Binding, BindingP: report.BindingP, Surface: report.Surface,
		Scored: report.Scored, Unscored: report.Unscored, VerifierDigest: compiled.Digest[:],
	}
	for _, c := range report.Controls {
		m.Controls = append(m.Controls, &verifierv1.RewardControl{Name: c.Name, Correlation: c.Correlation, Auc: c.AUC, AucLow: c.AUCLow})
	}
	return stream.Send(&verifierv1.CheckRewardValidityResponse{Step: &verifierv1.CheckRewardValidityResponse_Report{Report: m}})
}
