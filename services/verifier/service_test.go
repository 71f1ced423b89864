package verifier

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/grpctest"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/verifier/catalog"
	"github.com/provenir/provenir/services/verifier/rules"
	"github.com/provenir/provenir/services/verifier/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Init(sandbox.Worker{Name: rules.WorkerName, Run: rules.Work})
	goleak.VerifyTestMain(m)
}

// serve gives a client of a fresh service behind the real chain.
func serve(t testing.TB, cfg Config, d Deps) (verifierv1.VerifierServiceClient, *Service) {
	t.Helper()
	cfg.Code = "test"
	s, err := New(cfg, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	conn := grpctest.Serve(t, func(r grpc.ServiceRegistrar) { s.Register(r) })
	return verifierv1.NewVerifierServiceClient(conn), s
}

func specFor(t testing.TB, name string, options map[string]any) *verifierv1.Spec {
	t.Helper()
	o, err := structpb.NewStruct(options)
	if err != nil {
		t.Fatal(err)
	}
	return &verifierv1.Spec{Name: name, Options: o}
}

// rollout makes the bytes of a rollout with one prompt and one model segment.
func rollout(t testing.TB, id, response, reference string) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(&corev1.Rollout{
		RolloutId: id, GroupId: "g", Step: 3, Tokens: make([]byte, 256), RolloutLogprobs: make([]byte, 128),
		Segments: []*corev1.Segment{
			{Kind: corev1.SegmentKind_SEGMENT_KIND_PROMPT, Text: []byte("Q: 47+25=?"), TokenTo: 10},
			{Kind: corev1.SegmentKind_SEGMENT_KIND_MODEL, Text: []byte(response), TokenFrom: 10, TokenTo: 10 + uint32(len(response))},
		},
		Columns: []*corev1.Column{{Key: "reference", Json: []byte(`"` + reference + `"`)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func items(list ...[]byte) *verifierv1.VerifyRolloutsRequest {
	frame := &verifierv1.VerifyItems{}
	for i, b := range list {
		sum := sha256.Sum256(b)
		var r corev1.Rollout
		_ = proto.Unmarshal(b, &r) // bytes that are no rollout have no id
		frame.Items = append(frame.Items, &verifierv1.VerifyItem{Seq: uint64(i + 1), Rollout: b, Digest: sum[:], RolloutId: r.GetRolloutId()})
	}
	return &verifierv1.VerifyRolloutsRequest{Frame: &verifierv1.VerifyRolloutsRequest_Items{Items: frame}}
}

func opening(o *verifierv1.OpenVerify) *verifierv1.VerifyRolloutsRequest {
	return &verifierv1.VerifyRolloutsRequest{Frame: &verifierv1.VerifyRolloutsRequest_Open{Open: o}}
}

// open opens a pump and gives its answer.
func open(ctx context.Context, t testing.TB, c verifierv1.VerifierServiceClient, o *verifierv1.OpenVerify) (verifierv1.VerifierService_VerifyRolloutsClient, *verifierv1.VerifyOpened) {
	t.Helper()
	stream, err := c.VerifyRollouts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(opening(o)); err != nil {
		t.Fatal(err)
	}
	m, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	return stream, m.GetOpened()
}

// collect reads until n verdicts, and h held-out ones, are there.
func collect(t testing.TB, stream verifierv1.VerifierService_VerifyRolloutsClient, n, h int) (verdicts, heldout map[uint64]*verifierv1.VerdictItem) {
	t.Helper()
	verdicts, heldout = map[uint64]*verifierv1.VerdictItem{}, map[uint64]*verifierv1.VerdictItem{}
	for len(verdicts) < n || len(heldout) < h {
		m, err := stream.Recv()
		if err != nil {
			t.Fatalf("after %d verdicts: %v", len(verdicts), err)
		}
		for _, v := range m.GetVerdicts().GetItems() {
			verdicts[v.GetSeq()] = v
		}
		for _, v := range m.GetHeldout().GetItems() {
			heldout[v.GetSeq()] = v
		}
	}
	return verdicts, heldout
}

func TestVerify(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	tests := []struct {
		name      string
		spec      *verifierv1.Spec
		candidate *verifierv1.Candidate
		reason    string // of the verdict
		passed    bool
	}{
		{"row", specFor(t, "math", nil), &verifierv1.Candidate{RolloutId: "a", Response: []byte(`\boxed{\frac12}`), RowJson: []byte(`{"reference":"0.5"}`)}, "equal", true},
		{"wrong", specFor(t, "math", nil), &verifierv1.Candidate{RolloutId: "a", Response: []byte(`\boxed{1}`), RowJson: []byte(`{"reference":"0.5"}`)}, "different", false},
		{"rollout", specFor(t, "math", nil), &verifierv1.Candidate{Rollout: rollout(t, "r1", " #### 72", "72")}, "equal", true},
		{"spec as text", &verifierv1.Spec{Name: "exact_answer:case=exact"}, &verifierv1.Candidate{RolloutId: "a", Response: []byte("Paris"), RowJson: []byte(`{"reference":"Paris"}`)}, "equal", true},
		{"no reference", specFor(t, "math", nil), &verifierv1.Candidate{RolloutId: "a", Response: []byte("1")}, "BAD_REFERENCE", false},
		{"row twice", specFor(t, "math", nil), &verifierv1.Candidate{RolloutId: "a", RowJson: []byte(`{"reference":1,"reference":2}`)}, "BAD_ROW", false},
		{"no rollout", specFor(t, "math", nil), &verifierv1.Candidate{Rollout: []byte("\xff\xff")}, "BAD_ROW", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.Verify(t.Context(), &verifierv1.VerifyRequest{Candidate: tt.candidate, Spec: tt.spec})
			if err != nil {
				t.Fatal(err)
			}
			v := got.GetVerdict()
			reason := v.GetReason()
			if u := v.GetUnscored(); u != nil {
				reason = strings.TrimPrefix(u.GetReason().String(), "UNSCORED_REASON_")
			}
			if reason != tt.reason || v.GetScored().GetPassed() != tt.passed || len(v.GetVerifierDigest()) != 32 || got.GetMeasured().GetAttempt() != 1 {
				t.Errorf("%v, want %s", got, tt.reason)
			}
		})
	}
}

func TestVerifyIsIdempotent(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	req := &verifierv1.VerifyRequest{RequestId: "x", Spec: specFor(t, "math", nil),
		Candidate: &verifierv1.Candidate{RolloutId: "a", Response: []byte("1"), RowJson: []byte(`{"reference":"1"}`)}}
	one, err := c.Verify(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	two, err := c.Verify(t.Context(), req)
	if err != nil || !proto.Equal(one, two) {
		t.Errorf("again: %v, %v", two, err)
	}
	req.Candidate.Response = []byte("2")
	if _, err := c.Verify(t.Context(), req); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED) {
		t.Errorf("another request under the same id: %v", err)
	}
}

func TestSpecProblems(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	tests := []struct {
		name   string
		spec   *verifierv1.Spec
		reason corev1.ErrorReason
		code   codes.Code
	}{
		{"absent", nil, corev1.ErrorReason_ERROR_REASON_BAD_SPEC, codes.InvalidArgument},
		{"a slip", specFor(t, "mth", nil), corev1.ErrorReason_ERROR_REASON_UNKNOWN_VERIFIER, codes.InvalidArgument},
		{"a plugin that no setting names", specFor(t, "plugin", map[string]any{"name": "a", "verifier": "b"}), corev1.ErrorReason_ERROR_REASON_BAD_SPEC, codes.InvalidArgument},
		{"bad option", specFor(t, "math", map[string]any{"profile": "first"}), corev1.ErrorReason_ERROR_REASON_BAD_SPEC, codes.InvalidArgument},
		{"bad pattern", specFor(t, "regex", map[string]any{"pattern": "("}), corev1.ErrorReason_ERROR_REASON_PATTERN_INVALID, codes.InvalidArgument},
		{"text and options", &verifierv1.Spec{Name: "math:strict=true", Options: specFor(t, "x", map[string]any{"a": 1}).GetOptions()}, corev1.ErrorReason_ERROR_REASON_BAD_SPEC, codes.InvalidArgument},
		{"members", &verifierv1.Spec{Name: "composite", Members: []*verifierv1.Spec{specFor(t, "regex", nil)}}, corev1.ErrorReason_ERROR_REASON_BAD_SPEC, codes.InvalidArgument},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.Verify(t.Context(), &verifierv1.VerifyRequest{Spec: tt.spec, Candidate: &verifierv1.Candidate{}})
			if !rpc.Is(err, tt.reason) || status.Code(err) != tt.code {
				t.Errorf("%v, want %s", err, tt.reason)
			}
			stream, err := c.VerifyRollouts(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := stream.Send(opening(&verifierv1.OpenVerify{Protocol: 1, Spec: tt.spec})); err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			if _, err := stream.Recv(); !rpc.Is(err, tt.reason) {
				t.Errorf("pump: %v, want %s", err, tt.reason)
			}
		})
	}
}

func TestCompositeThroughTheContract(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	member := func(i uint32) *verifierv1.RewardExpr { return &verifierv1.RewardExpr{Op: "member", Member: &i} }
	spec := &verifierv1.Spec{Name: "composite", Options: specFor(t, "x", map[string]any{"mode": "weighted", "threshold": 0.5}).GetOptions(),
		Members: []*verifierv1.Spec{{Name: "math", Weight: proto.Float64(3)}, {Name: "regex", Options: specFor(t, "x", map[string]any{"pattern": "(?s).*####.*"}).GetOptions(), Required: true}},
		Reward:  &verifierv1.RewardExpr{Op: "gate", When: member(1), Threshold: proto.Float64(1), Parts: []*verifierv1.RewardExpr{member(0)}}}
	for _, tt := range []struct {
		name, response string
		reward         float64
	}{{"both", "#### 5", 1}, {"gate closed", `\boxed{5}`, 0}, {"wrong", "#### 6", 0}} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.Verify(t.Context(), &verifierv1.VerifyRequest{Spec: spec,
				Candidate: &verifierv1.Candidate{RolloutId: "a", Response: []byte(tt.response), RowJson: []byte(`{"reference":"5"}`)}})
			if err != nil {
				t.Fatal(err)
			}
			v := got.GetVerdict()
			if v.GetScored() == nil || v.GetScored().GetReward() != tt.reward || len(v.GetMembers()) != 2 || v.GetScored().GetPassed() != (tt.reward == 1) {
				t.Errorf("%v", v)
			}
		})
	}
}

func TestListVerifiers(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	got, err := c.ListVerifiers(t.Context(), &verifierv1.ListVerifiersRequest{})
	if err != nil {
		t.Fatal(err)
	}
	last := ""
	for _, v := range got.GetVerifiers() {
		if v.GetName() <= last || v.GetOptionsSchema().GetFields()["properties"] == nil {
			t.Errorf("%s after %s: %v", v.GetName(), last, v)
		}
		last = v.GetName()
	}
	if len(got.GetVerifiers()) != len(catalog.Names()) {
		t.Errorf("%d verifiers, the catalog has %d", len(got.GetVerifiers()), len(catalog.Names()))
	}
}

func TestSampleTasks(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	stream, err := c.SampleTasks(t.Context(), &verifierv1.SampleTasksRequest{Pack: "arithmetic", Seed: 1, Split: "train", Count: 600, Preset: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if m.GetSpec().GetName() != "math" || m.GetPackVersion() == "" {
			t.Fatalf("frame %v", m.GetSpec())
		}
		n += len(m.GetTasks())
		// the pack's own demonstrations pass its own spec
		k := m.GetTasks()[0]
		v, err := c.Verify(t.Context(), &verifierv1.VerifyRequest{Spec: m.GetSpec(), Candidate: &verifierv1.Candidate{
			RolloutId: k.GetId(), Response: []byte(k.GetCompletion()), RowJson: []byte(fmt.Sprintf(`{"reference":%q}`, k.GetReference()))}})
		if err != nil || !v.GetVerdict().GetScored().GetPassed() {
			t.Errorf("%v: %v, %v", k, v, err)
		}
	}
	if n != 600 {
		t.Errorf("%d tasks, want 600", n)
	}
	for _, tt := range []struct {
		name   string
		req    *verifierv1.SampleTasksRequest
		reason corev1.ErrorReason
	}{
		{"unknown pack", &verifierv1.SampleTasksRequest{Pack: "algebra", Split: "train", Count: 1}, corev1.ErrorReason_ERROR_REASON_TASK_PACK_UNKNOWN},
		{"unknown preset", &verifierv1.SampleTasksRequest{Pack: "arithmetic", Split: "train", Count: 1, Preset: "x"}, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"too many", &verifierv1.SampleTasksRequest{Pack: "arithmetic", Split: "dev", Count: 1000, Difficulty: 1}, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
	} {
		stream, err := c.SampleTasks(t.Context(), tt.req)
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = stream.Recv()
		}
		if !rpc.Is(err, tt.reason) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestExplainMath(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	got, err := c.ExplainMath(t.Context(), &verifierv1.ExplainMathRequest{Id: "a", Text: `\frac{x}{2}`, At: map[string]float64{"x": 3}})
	if err != nil || got.GetKind() != "expr" || got.GetValueRe() != 1.5 || got.GetId() != "a" {
		t.Errorf("%v, %v", got, err)
	}
	got, err = c.ExplainMath(t.Context(), &verifierv1.ExplainMathRequest{Text: `\frac{`})
	if err != nil || got.GetKind() != "none" || got.GetError() == "" || got.ValueRe != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestConfig(t *testing.T) {
	if _, err := New(Config{Workers: -1}, Deps{}); err == nil {
		t.Error("a negative number of workers was taken")
	}
	s, err := New(Config{}, Deps{Clock: clock.NewFake(time.Unix(0, 0))})
	if err != nil || s.cfg.Code == "" || s.cfg.Workers < 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if err := s.Health(t.Context()); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
}
