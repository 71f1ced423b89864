package orchestrator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/orchestrator/contrast"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// ingester is an evaluator that keeps what it is given.
type ingester struct {
	evaluatorv1.EvaluatorServiceClient
	data bytes.Buffer
}

type ingestion struct {
	grpc.ClientStream
	to *ingester
}

func (e *ingester) IngestDataset(context.Context, ...grpc.CallOption) (evaluatorv1.EvaluatorService_IngestDatasetClient, error) {
	e.data.Reset()
	return ingestion{to: e}, nil
}

func (i ingestion) Send(m *evaluatorv1.IngestDatasetRequest) error {
	i.to.data.Write(m.GetChunk())
	return nil
}

func (i ingestion) CloseAndRecv() (*evaluatorv1.IngestDatasetResponse, error) {
	sum := sha256.Sum256(i.to.data.Bytes())
	return &evaluatorv1.IngestDatasetResponse{Dataset: &corev1.DatasetRef{Digest: sum[:]}}, nil
}

// knowing is a verifier that knows math.
type knowing struct {
	verifierv1.VerifierServiceClient
}

func (knowing) Verify(_ context.Context, r *verifierv1.VerifyRequest, _ ...grpc.CallOption) (*verifierv1.VerifyResponse, error) {
	if r.GetSpec().GetName() != "math" {
		return nil, rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_UNKNOWN_VERIFIER, "no verifier %s", r.GetSpec().GetName())
	}
	return &verifierv1.VerifyResponse{}, nil
}

// school ends every run as soon as it is there, as a trainer would: with the gain that its arm and seed have.
type school struct {
	*rig
	gain  func(arm string, seed uint64) float64
	state run.State // succeeded where it is unspecified

	mu      sync.Mutex
	trained []string
	specs   []*orchestratorv1.RunSpec
}

func (s *school) teach(ctx context.Context) {
	for ctx.Err() == nil {
		runs, _, err := s.board.Alive(ctx, run.Ended)
		if err != nil {
			return
		}
		for _, r := range runs {
			arm, seed := r.GetSpec().GetLabels()["control"], r.GetSpec().GetSeed()
			s.mu.Lock()
			s.trained, s.specs = append(s.trained, fmt.Sprintf("%s %d", arm, seed)), append(s.specs, r.GetSpec())
			s.mu.Unlock()
			after := .4 + s.gain(arm, seed)
			_ = s.board.Update(ctx, r.GetUid(), func(x *orchestratorv1.Run) {
				x.FinalCheckpoint = []byte{byte(seed)}
				if arm != contrast.Warmup {
					for _, v := range []float64{.4, after} {
						e := &evaluatorv1.Estimate{Value: proto.Float64(v)}
						if math.IsNaN(v) {
							e.Value = nil
						}
						x.Evaluations = append(x.Evaluations, &evaluatorv1.Evaluation{Estimates: []*evaluatorv1.Estimate{e}})
					}
				}
				x.State = run.Succeeded
				if s.state != 0 && arm == "random" {
					x.State, x.Failure = s.state, &trainerv1.Failure{Message: "the weights are no numbers"}
				}
			})
		}
	}
}

// controlled starts a school and gives what TrainControls says.
func (s *school) controlled(t *testing.T, req *orchestratorv1.TrainControlsRequest) (*orchestratorv1.ControlReport, []*orchestratorv1.ControlProgress, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var taught sync.WaitGroup
	taught.Go(func() { s.teach(ctx) })
	defer taught.Wait()
	defer cancel()
	stream, err := s.client.TrainControls(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	var seen []*orchestratorv1.ControlProgress
	var report *orchestratorv1.ControlReport
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return report, seen, nil
		}
		if err != nil {
			return nil, seen, err
		}
		if m.GetProgress() != nil {
			seen = append(seen, m.GetProgress())
		} else {
			report = m.GetReport()
		}
	}
}

func newSchool(t *testing.T, gain func(string, uint64) float64) (*school, *ingester) {
	t.Helper()
	r := newRig(t, database(t), clock.System{}, nil)
	e := &ingester{}
	r.d.Peers.Evaluator, r.d.Peers.Verifier = e, knowing{}
	return &school{rig: r, gain: gain}, e
}

func (s *school) job(t *testing.T) *orchestratorv1.RunSpec {
	t.Helper()
	digest, _, err := s.d.Blobs.Put(t.Context(), strings.NewReader(`{"id":"a","prompt":"1+1=","reference":"2"}`+"\n"+`{"id":"b","prompt":"2+2=","reference":"4"}`+"\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	j := spec()
	j.Seed, j.Train = 5, &corev1.DatasetRef{Digest: digest[:]}
	j.Eval = &corev1.DatasetRef{Digest: bytes.Repeat([]byte{2}, 32)}
	j.Warmup = &orchestratorv1.Warmup{Steps: 3, BatchSize: 2}
	return j
}

func taught(arm string, seed uint64) float64 {
	switch arm {
	case contrast.Real:
		return .3 + float64(seed)/1000
	case "length_only":
		return -.1
	}
	return float64(seed%2) / 1000
}

func TestARewardThatTeachesIsValid(t *testing.T) {
	s, e := newSchool(t, taught)
	report, seen, err := s.controlled(t, &orchestratorv1.TrainControlsRequest{Spec: s.job(t)})
	if err != nil {
		t.Fatal(err)
	}
	if report.GetVerdict() != contrast.Valid || report.GetValidity() < .99 || report.GetMargin() != .1 || len(report.GetArms()) != 6 {
		t.Errorf("%v", report)
	}
	for i, a := range report.GetArms() {
		if len(a.GetRuns()) != 3 || a.GetGain().GetN() != 3 || (a.GetLead() == nil) != (i == 0) {
			t.Errorf("%v", a)
		}
		for k, r := range a.GetRuns() {
			if r.GetSeed() != uint64(5+k) || r.GetRun() == "" || r.GetBefore() != .4 {
				t.Errorf("%v", r)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.trained) != 21 || s.trained[0] != "warmup 5" || s.trained[1] != "real 5" || s.trained[7] != "warmup 6" {
		t.Errorf("trained %v", s.trained)
	}
	for i, spec := range s.specs {
		if arm := spec.GetLabels()["control"]; arm != contrast.Warmup && spec.GetModel().GetCheckpoint() != fmt.Sprintf("%02x", spec.GetSeed()) {
			t.Errorf("%s begins with %v", s.trained[i], spec.GetModel())
		}
		if spec.GetLabels()["control"] == contrast.Shuffled && bytes.Equal(spec.GetTrain().GetDigest(), s.specs[1].GetTrain().GetDigest()) {
			t.Error("shuffled rows are the real ones")
		}
	}
	if got := e.data.String(); !strings.Contains(got, `"prompt":"1+1=","reference":"4"`) || !strings.Contains(got, `"prompt":"2+2=","reference":"2"`) {
		t.Errorf("shuffled into %s", got)
	}
	last := seen[len(seen)-1]
	if last.GetDone() != 21 || last.GetTotal() != 21 || last.GetArm() != contrast.Shuffled || last.GetState() != run.Succeeded || last.GetSteps() != 25 {
		t.Errorf("last progress %v", last)
	}
}

// The same request finds its runs again; another name makes them anew.
func TestTheSameRequestGoesOn(t *testing.T) {
	s, _ := newSchool(t, taught)
	req := &orchestratorv1.TrainControlsRequest{Spec: s.job(t), Controls: []string{"constant"}}
	first, _, err := s.controlled(t, req)
	if err != nil {
		t.Fatal(err)
	}
	made := len(s.trained)
	second, _, err := s.controlled(t, req)
	if err != nil || !proto.Equal(first, second) || len(s.trained) != made || made != 9 {
		t.Errorf("%d runs, then %d; %v, %v", made, len(s.trained), second, err)
	}
	req.RequestId = "anew"
	if third, _, err := s.controlled(t, req); err != nil || len(s.trained) != 2*made || third.GetArms()[0].GetRuns()[0].GetRun() == first.GetArms()[0].GetRuns()[0].GetRun() {
		t.Errorf("%d runs; %v, %v", len(s.trained), third, err)
	}
}

func TestARewardThatAControlEquals(t *testing.T) {
	s, _ := newSchool(t, func(arm string, seed uint64) float64 {
		if arm == "format_only" {
			return .29 + float64(seed)/1000
		}
		return taught(arm, seed)
	})
	report, _, err := s.controlled(t, &orchestratorv1.TrainControlsRequest{Spec: s.job(t), Controls: []string{"random", "format_only"}})
	if err != nil || report.GetVerdict() != contrast.Spurious || report.GetArms()[1].GetSpurious() || !report.GetArms()[2].GetSpurious() || !strings.Contains(report.GetReasons()[0], "format_only") {
		t.Errorf("%v, %v", report, err)
	}
}

// Whatever was not measured leaves no verdict: neither a run that failed nor a score that is absent counts as no gain.
func TestNothingIsComparedWithWhatWasNotMeasured(t *testing.T) {
	t.Run("a score is absent", func(t *testing.T) {
		s, _ := newSchool(t, func(arm string, seed uint64) float64 {
			if arm == "constant" && seed == 7 {
				return math.NaN()
			}
			return taught(arm, seed)
		})
		report, _, err := s.controlled(t, &orchestratorv1.TrainControlsRequest{Spec: s.job(t), Controls: []string{"constant"}})
		s.refused(err, corev1.ErrorReason_ERROR_REASON_NO_CONTROLS)
		if report != nil || !strings.Contains(fmt.Sprint(err), "seed 7") {
			t.Errorf("%v, %v", report, err)
		}
	})
	t.Run("a run failed", func(t *testing.T) {
		s, _ := newSchool(t, taught)
		s.state = run.Failed
		report, _, err := s.controlled(t, &orchestratorv1.TrainControlsRequest{Spec: s.job(t)})
		s.refused(err, corev1.ErrorReason_ERROR_REASON_NO_CONTROLS)
		if report != nil || !strings.Contains(fmt.Sprint(err), "no numbers") || len(s.trained) != 3 {
			t.Errorf("%v, %v after %v", report, err, s.trained)
		}
	})
}

func TestWhatCannotBeComparedIsRefusedBeforeTheFirstRun(t *testing.T) {
	tests := []struct {
		name string
		edit func(*orchestratorv1.TrainControlsRequest)
		want corev1.ErrorReason
	}{
		{"one seed", func(r *orchestratorv1.TrainControlsRequest) { r.Seeds = 1 }, corev1.ErrorReason_ERROR_REASON_NO_CONTROLS},
		{"two seeds", func(r *orchestratorv1.TrainControlsRequest) { r.Seeds = 2 }, corev1.ErrorReason_ERROR_REASON_NO_CONTROLS},
		{"no eval set", func(r *orchestratorv1.TrainControlsRequest) { r.Spec.Eval = nil }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"SFT", func(r *orchestratorv1.TrainControlsRequest) {
			r.Spec.Algorithm = trainerv1.Algorithm_ALGORITHM_SFT
		}, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"no verifier", func(r *orchestratorv1.TrainControlsRequest) { r.Spec.Verifier = nil }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"a control for the reward", func(r *orchestratorv1.TrainControlsRequest) { r.Spec.Verifier.Name = "control" }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"a verifier that is not known", func(r *orchestratorv1.TrainControlsRequest) { r.Spec.Verifier.Name = "mth" }, corev1.ErrorReason_ERROR_REASON_UNKNOWN_VERIFIER},
		{"a judge that is not known", func(r *orchestratorv1.TrainControlsRequest) { r.Spec.HeldoutVerifier = &verifierv1.Spec{Name: "mth"} }, corev1.ErrorReason_ERROR_REASON_UNKNOWN_VERIFIER},
		{"a control that is not known", func(r *orchestratorv1.TrainControlsRequest) { r.Controls = []string{"ranodm"} }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"a control twice", func(r *orchestratorv1.TrainControlsRequest) { r.Controls = []string{"random", "random"} }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"a margin of 1", func(r *orchestratorv1.TrainControlsRequest) { r.Margin = proto.Float64(1) }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"a margin that is no number", func(r *orchestratorv1.TrainControlsRequest) { r.Margin = proto.Float64(math.NaN()) }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"a dataset that is not there", func(r *orchestratorv1.TrainControlsRequest) {
			r.Spec.Train = &corev1.DatasetRef{Digest: bytes.Repeat([]byte{8}, 32)}
		}, corev1.ErrorReason_ERROR_REASON_DATASET_NOT_FOUND},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := newSchool(t, taught)
			req := &orchestratorv1.TrainControlsRequest{Spec: s.job(t)}
			tt.edit(req)
			_, _, err := s.controlled(t, req)
			s.refused(err, tt.want)
			if len(s.trained) > 0 {
				t.Errorf("trained %v", s.trained)
			}
		})
	}
}
