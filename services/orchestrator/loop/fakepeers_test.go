package loop

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// verifier scores every rollout at once. Of rows it finds a reference bad that says "bad", a prompt passing that says "echo",
// and a row unchecked that has no reference.
type verifier struct {
	verifierv1.UnimplementedVerifierServiceServer
	*diary
	mood
}

func (v *verifier) VerifyRollouts(s verifierv1.VerifierService_VerifyRolloutsServer) error {
	if err := v.at("open"); err != nil {
		return err
	}
	if _, err := s.Recv(); err != nil {
		return err
	}
	v.note("verifier open")
	out := &verifierv1.VerifyRolloutsResponse{Frame: &verifierv1.VerifyRolloutsResponse_Opened{Opened: &verifierv1.VerifyOpened{
		VerifierDigest: digest("verifier"), Credit: &verifierv1.VerifyCredit{Bytes: 1 << 20, Items: 1 << 20}}}}
	for {
		if err := s.Send(out); err != nil {
			return err
		}
		m, err := s.Recv()
		if err != nil {
			return nil //nolint:nilerr // the pump has gone
		}
		if err := v.at("verdict"); err != nil {
			return err
		}
		items := &verifierv1.VerdictItems{}
		for _, i := range m.GetItems().GetItems() {
			scored := &corev1.Scored{Reward: float64(i.GetDigest()[0]) / 255}
			b := mustMarshal(&corev1.Verdict{RolloutId: i.GetRolloutId(), RolloutDigest: i.GetDigest(), Verdict: &corev1.Verdict_Scored{Scored: scored}})
			items.Items = append(items.Items, &verifierv1.VerdictItem{Seq: i.GetSeq(), Verdict: b,
				Summary: &verifierv1.VerdictSummary{Outcome: &verifierv1.VerdictSummary_Scored{Scored: scored}}})
		}
		out = &verifierv1.VerifyRolloutsResponse{Frame: &verifierv1.VerifyRolloutsResponse_Verdicts{Verdicts: items}}
	}
}

func (v *verifier) VerifyBatch(s verifierv1.VerifierService_VerifyBatchServer) error {
	v.note("check tasks")
	for {
		m, err := s.Recv()
		if err != nil {
			return nil //nolint:nilerr // all rows were sent
		}
		if err := v.at("task"); err != nil {
			return err
		}
		out := &verifierv1.VerifyBatchResponse{Id: m.GetRow().GetRolloutId(), TaskOk: proto.Bool(true)}
		if strings.Contains(string(m.GetRow().GetRowJson()), "bad") {
			out.TaskOk = proto.Bool(false)
			out.Result = &verifierv1.VerifyBatchResponse_Error{Error: &verifierv1.RowError{Code: "BAD_REFERENCE", Message: "the reference is no number"}}
		}
		if row := string(m.GetRow().GetRowJson()); !strings.Contains(row, "bad") {
			v := &corev1.Verdict{Verdict: &corev1.Verdict_Scored{Scored: &corev1.Scored{Reward: 1, Passed: true}}}
			if strings.Contains(row, "echo") {
				v.Findings = append(v.Findings, &corev1.Finding{Kind: "echo_passes"})
			}
			if !strings.Contains(row, "reference") {
				out.TaskOk = nil
			}
			out.Result = &verifierv1.VerifyBatchResponse_Verdict{Verdict: v}
		}
		if err := s.Send(out); err != nil {
			return err
		}
	}
}

// evaluator gives each checkpoint the value that the test says, and finds what the test says in datasets.
type evaluator struct {
	evaluatorv1.UnimplementedEvaluatorServiceServer
	*diary
	mood
	values []float64 // of the evaluations in order; the last one goes on
	made   int
	shared uint64
	report func(use evaluatorv1.DatasetUse) *evaluatorv1.ValidateDatasetResponse
}

func (e *evaluator) ValidateDataset(_ context.Context, req *evaluatorv1.ValidateDatasetRequest) (*evaluatorv1.ValidateDatasetResponse, error) {
	if err := e.at("validate"); err != nil {
		return nil, err
	}
	e.diary.note("validate " + strings.ToLower(strings.TrimPrefix(req.GetUse().String(), "DATASET_USE_")))
	if e.report != nil {
		if r := e.report(req.GetUse()); r != nil {
			return r, nil
		}
	}
	out := &evaluatorv1.ValidateDatasetResponse{Rows: 2}
	for _, d := range req.GetDisjointFrom() {
		out.Shared = append(out.Shared, &evaluatorv1.SharedRows{Digest: d.GetDigest(), Rows: e.shared})
	}
	return out, nil
}

func (e *evaluator) Evaluate(_ context.Context, req *evaluatorv1.EvaluateRequest) (*evaluatorv1.EvaluateResponse, error) {
	if err := e.at("evaluate"); err != nil {
		return nil, err
	}
	e.note("evaluate")
	e.diary.mu.Lock()
	defer e.diary.mu.Unlock()
	v := .5
	if len(e.values) > 0 {
		v = e.values[min(e.made, len(e.values)-1)]
	}
	e.made++
	out := &evaluatorv1.Evaluation{Estimates: []*evaluatorv1.Estimate{{Metric: "verifier", Value: &v}}, RowsDigest: digest("rows", req.GetCheckpoint())}
	for _, b := range req.GetBaselines() {
		out.Tests = append(out.Tests, &evaluatorv1.PairedTest{Baseline: b, Difference: &evaluatorv1.Estimate{Value: proto.Float64(-.1),
			Interval: &evaluatorv1.Interval{Low: -.2, High: -.05}}})
	}
	return &evaluatorv1.EvaluateResponse{Evaluation: out}, nil
}

// governance seals what it is given, after a number of looks where the test wants it slow.
type governance struct {
	governancev1.UnimplementedGovernanceServiceServer
	*diary
	mood
	looks   int
	refusal *status.Status
	sealed  []*governancev1.SealBomRequest
}

func (g *governance) SealBom(_ context.Context, req *governancev1.SealBomRequest) (*governancev1.SealBomResponse, error) {
	if err := g.at("seal"); err != nil {
		g.note("governance is away")
		return nil, err
	}
	g.diary.mu.Lock()
	g.sealed = append(g.sealed, req)
	wait := g.looks > 0
	g.looks--
	g.diary.mu.Unlock()
	op := &corev1.Operation{Name: "governance/1", Done: !wait}
	switch {
	case wait:
	case g.refusal != nil:
		op.Result = &corev1.Operation_Error{Error: g.refusal}
	default:
		any, err := anypb.New(&governancev1.SealedBom{Passport: "sha256:" + fmt.Sprintf("%x", digest(string(req.GetDocument()))[:4]), Folder: "somewhere"})
		if err != nil {
			return nil, err
		}
		op.Result = &corev1.Operation_Response{Response: any}
		g.note("seal bom")
	}
	return &governancev1.SealBomResponse{Operation: op}, nil
}
