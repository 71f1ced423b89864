package remote

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"google.golang.org/grpc"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/grpctest"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// fake is a verifier of somebody else's: it does what its response says, good or bad.
type fake struct {
	verifierv1.UnimplementedVerifierServiceServer
	digest []byte
}

func (f *fake) ListVerifiers(context.Context, *verifierv1.ListVerifiersRequest) (*verifierv1.ListVerifiersResponse, error) {
	return &verifierv1.ListVerifiersResponse{Verifiers: []*verifierv1.VerifierInfo{{Name: "theirs", Digest: make([]byte, 32)}}}, nil
}

func (f *fake) Verify(ctx context.Context, r *verifierv1.VerifyRequest) (*verifierv1.VerifyResponse, error) {
	v := &corev1.Verdict{RolloutId: r.GetCandidate().GetRolloutId(), VerifierDigest: f.digest, Reason: "theirs", Extracted: string(r.GetCandidate().GetRowJson())}
	score := func(reward float64, passed bool) {
		v.Verdict = &corev1.Verdict_Scored{Scored: &corev1.Scored{Reward: reward, Passed: passed}}
	}
	switch string(r.GetCandidate().GetResponse()) {
	case "right":
		score(1, true)
	case "wrong":
		score(0, false)
	case "too much":
		score(2, true)
	case "NaN":
		score(math.NaN(), false)
	case "another id":
		score(1, true)
		v.RolloutId = "another"
	case "unscored":
		v.Verdict = &corev1.Verdict_Unscored{Unscored: &corev1.Unscored{Reason: corev1.UnscoredReason_UNSCORED_REASON_BAD_REFERENCE, Detail: "no"}}
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	case "fail":
		return nil, errors.New("a bug of theirs")
	}
	return &verifierv1.VerifyResponse{Verdict: v}, nil
}

func judgeOf(t *testing.T, f *fake, options map[string]any) (verdict.Judge, error) {
	t.Helper()
	conn := grpctest.Serve(t, func(r grpc.ServiceRegistrar) { verifierv1.RegisterVerifierServiceServer(r, f) })
	d := Descriptor()
	all := map[string]any{"target": "127.0.0.1:9", "verifier": "theirs"}
	for k, v := range options {
		all[k] = v
	}
	v, err := d.Resolve(Name, all)
	if err != nil {
		t.Fatal(err)
	}
	return New(Name, v, func(string) (grpc.ClientConnInterface, error) { return conn, nil })
}

func TestAnswers(t *testing.T) {
	j, err := judgeOf(t, &fake{digest: make([]byte, 32)}, map[string]any{"timeout": 0.3})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		response string
		passed   bool
		unscored verdict.Reason // 0 for scored
		clocked  bool
	}{
		{"right", true, 0, false}, {"wrong", false, 0, false}, {"too much", false, verdict.OutOfRange, false}, {"NaN", false, verdict.NonFinite, false},
		{"another id", false, verdict.RemoteError, false}, {"unscored", false, verdict.BadReference, false}, {"neither", false, verdict.RemoteError, false},
		{"hang", false, verdict.RemoteError, true}, {"fail", false, verdict.RemoteError, false},
	}
	for _, tt := range tests {
		t.Run(tt.response, func(t *testing.T) {
			v := j.Judge(&verdict.Candidate{ID: "a", Response: tt.response, Row: verdict.Row{{Key: "reference", JSON: []byte(`12345678901234567890`)}}})
			u, unscored := v.Unscored()
			if unscored != (tt.unscored != 0) || unscored && u.Reason != tt.unscored || v.Passed() != tt.passed || v.Has("time_dependent") != tt.clocked || v.Has("verifier_changed") {
				t.Errorf("%+v", v)
			}
			if tt.response == "right" && v.Extracted != `{"reference":12345678901234567890}` {
				t.Errorf("the row came as %s", v.Extracted)
			}
		})
	}
}

func TestAChangedVerifierIsFound(t *testing.T) {
	f := &fake{digest: make([]byte, 32)}
	j, err := judgeOf(t, f, nil)
	if err != nil {
		t.Fatal(err)
	}
	f.digest[0] = 1
	if v := j.Judge(&verdict.Candidate{ID: "a", Response: "right"}); !v.Passed() || !v.Has("verifier_changed") {
		t.Errorf("%+v", v)
	}
}

func TestTheCallersDeadlineEndsIt(t *testing.T) {
	j, err := judgeOf(t, &fake{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	v := verdict.Within(ctx, j, &verdict.Candidate{ID: "a", Response: "hang"})
	if u, ok := v.Unscored(); !ok || u.Reason != verdict.RemoteError {
		t.Errorf("%+v", v)
	}
}

func TestSpecsThatAreRefused(t *testing.T) {
	for name, options := range map[string]map[string]any{
		"a machine elsewhere": {"target": "192.0.2.1:9"}, "a name": {"target": "example.org:9"}, "no port": {"target": "127.0.0.1"}, "unknown there": {"verifier": "nobody"}, "options": {"options": "[1]"},
	} {
		_, err := judgeOf(t, &fake{}, options)
		var bad *spec.BadSpecError
		if !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
