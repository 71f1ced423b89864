package verifier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/verifier/catalog"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

func TestPump(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	stream, opened := open(t.Context(), t, c, &verifierv1.OpenVerify{Protocol: 1, RunId: "run", Spec: specFor(t, "math", nil)})
	if len(opened.GetVerifierDigest()) != 32 || opened.GetCredit().GetItems() != 256 || opened.GetCredit().GetBytes() != 8<<20 || opened.HeldoutFraction != nil {
		t.Fatalf("opened %v", opened)
	}
	var list [][]byte
	for i := range 40 {
		list = append(list, rollout(t, fmt.Sprintf("r%d", i), fmt.Sprintf("#### %d", i%2), "1"))
	}
	if err := stream.Send(items(list...)); err != nil {
		t.Fatal(err)
	}
	got, _ := collect(t, stream, 40, 0)
	for i := range list {
		item := got[uint64(i+1)]
		var v corev1.Verdict
		if err := proto.Unmarshal(item.GetVerdict(), &v); err != nil {
			t.Fatal(err)
		}
		want := float64(i % 2)
		if v.GetScored().GetReward() != want || item.GetSummary().GetScored().GetReward() != want || v.GetRolloutId() != fmt.Sprintf("r%d", i) ||
			len(v.GetRolloutDigest()) != 32 || item.GetMeasured().GetAttempt() != 1 || item.GetHeldoutFollows() {
			t.Errorf("item %d: %v %v", i, &v, item.GetSummary())
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestPumpSaysWhyThereIsNoReward(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	stream, _ := open(t.Context(), t, c, &verifierv1.OpenVerify{Protocol: 1, RunId: "run", Spec: specFor(t, "math", nil)})
	frame := items(rollout(t, "a", "#### 1", ""), []byte("\xff\xff\xff"), rollout(t, "c", "#### 1", "1"))
	frame.GetItems().Items[2].RolloutId = "other"
	if err := stream.Send(frame); err != nil {
		t.Fatal(err)
	}
	got, _ := collect(t, stream, 3, 0)
	for seq, want := range map[uint64]corev1.UnscoredReason{
		1: corev1.UnscoredReason_UNSCORED_REASON_BAD_REFERENCE, 2: corev1.UnscoredReason_UNSCORED_REASON_BAD_ROW, 3: corev1.UnscoredReason_UNSCORED_REASON_BAD_ROW,
	} {
		if s := got[seq].GetSummary(); s.GetUnscored().GetReason() != want || s.GetScored() != nil {
			t.Errorf("item %d: %v, want %s", seq, s, want)
		}
	}
}

func TestHeldout(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	// The visible verifier takes any number; the stricter partner wants an anchor.
	stream, opened := open(t.Context(), t, c, &verifierv1.OpenVerify{Protocol: 1, RunId: "run", Spec: specFor(t, "math", nil), Holdout: &verifierv1.Holdout{Seed: 1}})
	if opened.GetHeldoutFraction() != 1 || len(opened.GetHeldoutDigest()) != 32 || string(opened.GetHeldoutDigest()) == string(opened.GetVerifierDigest()) {
		t.Fatalf("opened %v", opened)
	}
	if err := stream.Send(items(rollout(t, "a", "it is 5, I think", "5"), rollout(t, "b", "#### 5", "5"))); err != nil {
		t.Fatal(err)
	}
	visible, heldout := collect(t, stream, 2, 2)
	for seq := uint64(1); seq <= 2; seq++ {
		if !visible[seq].GetHeldoutFollows() || !visible[seq].GetSummary().GetScored().GetPassed() {
			t.Errorf("item %d: %v", seq, visible[seq].GetSummary())
		}
	}
	var special corev1.Verdict
	if err := proto.Unmarshal(heldout[1].GetVerdict(), &special); err != nil {
		t.Fatal(err)
	}
	if special.GetScored().GetPassed() || len(special.GetFindings()) == 0 || special.GetFindings()[0].GetKind() != "special_cased" {
		t.Errorf("held-out verdict of a weak answer: %v", &special)
	}
	if !heldout[2].GetSummary().GetScored().GetPassed() {
		t.Errorf("held-out verdict of a good answer: %v", heldout[2])
	}
}

func TestHeldoutFraction(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	fraction := .25
	spec := specFor(t, "exact_answer", nil)
	draw := func() map[uint64]bool {
		stream, opened := open(t.Context(), t, c, &verifierv1.OpenVerify{Protocol: 1, RunId: "run", Spec: spec,
			Holdout: &verifierv1.Holdout{Seed: 9, Fraction: &fraction, Spec: specFor(t, "math", nil)}})
		if opened.GetHeldoutFraction() != fraction {
			t.Fatalf("opened %v", opened)
		}
		var list [][]byte
		for i := range 128 {
			list = append(list, rollout(t, fmt.Sprintf("r%d", i), "5", "5"))
		}
		if err := stream.Send(items(list...)); err != nil {
			t.Fatal(err)
		}
		got, _ := collect(t, stream, 128, 0)
		out := map[uint64]bool{}
		for seq, v := range got {
			out[seq] = v.GetHeldoutFollows()
		}
		return out
	}
	one, two := draw(), draw()
	n := 0
	for seq := range one {
		if one[seq] != two[seq] {
			t.Fatalf("item %d is drawn in one stream and not in the other", seq)
		}
		if one[seq] {
			n++
		}
	}
	if n < 14 || n > 52 {
		t.Errorf("%d of 128 were drawn, want about 32", n)
	}
	_, err := c.VerifyRollouts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
}

func TestReplay(t *testing.T) {
	c, s := serve(t, Config{}, Deps{})
	o := &verifierv1.OpenVerify{Protocol: 1, RunId: "run", Spec: specFor(t, "math", nil)}
	first, _ := open(t.Context(), t, c, o)
	if err := first.Send(items(rollout(t, "a", "#### 1", "1"))); err != nil {
		t.Fatal(err)
	}
	before, _ := collect(t, first, 1, 0)
	again, _ := open(t.Context(), t, c, o)
	if err := again.Send(items(rollout(t, "a", "#### 1", "1"))); err != nil {
		t.Fatal(err)
	}
	after, _ := collect(t, again, 1, 0)
	if !proto.Equal(before[1], after[1]) {
		t.Errorf("another verdict on a repeat: %v, %v", before[1], after[1])
	}
	if s.replay.Len() != 1 {
		t.Errorf("%d verdicts are remembered", s.replay.Len())
	}
	// Another run judges for itself; other bytes in the same run are refused, and the stream ends.
	elsewhere, _ := open(t.Context(), t, c, &verifierv1.OpenVerify{Protocol: 1, RunId: "other", Spec: o.GetSpec()})
	if err := elsewhere.Send(items(rollout(t, "a", "#### 2", "1"))); err != nil {
		t.Fatal(err)
	}
	if got, _ := collect(t, elsewhere, 1, 0); got[1].GetSummary().GetScored().GetPassed() {
		t.Error("the verdict of another run was taken")
	}
	if err := again.Send(items(rollout(t, "a", "#### 2", "1"))); err != nil {
		t.Fatal(err)
	}
	for {
		_, err := again.Recv()
		if err == nil {
			continue
		}
		if !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_DIVERGENT_REPLAY) || rpc.Metadata(err, "rollout_id") != "a" {
			t.Errorf("other bytes under a known id: %v", err)
		}
		break
	}
}

func TestPumpRefuses(t *testing.T) {
	c, _ := serve(t, Config{WindowItems: 4}, Deps{})
	spec := specFor(t, "math", nil)
	good := func() *verifierv1.VerifyRolloutsRequest {
		return opening(&verifierv1.OpenVerify{Protocol: 1, Spec: spec})
	}
	wrongDigest := items(rollout(t, "a", "x", "1"))
	wrongDigest.GetItems().Items[0].Digest = make([]byte, 32)
	noSeq := items(rollout(t, "a", "x", "1"))
	noSeq.GetItems().Items[0].Seq = 0
	half := .5
	tests := []struct {
		name   string
		frames []*verifierv1.VerifyRolloutsRequest
		reason corev1.ErrorReason
	}{
		{"no open", []*verifierv1.VerifyRolloutsRequest{wrongDigest}, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"other protocol", []*verifierv1.VerifyRolloutsRequest{opening(&verifierv1.OpenVerify{Protocol: 2, Spec: spec})}, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"open twice", []*verifierv1.VerifyRolloutsRequest{good(), good()}, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"deadline of nothing", []*verifierv1.VerifyRolloutsRequest{opening(&verifierv1.OpenVerify{Protocol: 1, Spec: spec, Deadline: durationpb.New(0)})}, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"holdout without a stricter spec", []*verifierv1.VerifyRolloutsRequest{opening(&verifierv1.OpenVerify{Protocol: 1, Spec: specFor(t, "exact_answer", nil),
			Holdout: &verifierv1.Holdout{Fraction: &half}})}, corev1.ErrorReason_ERROR_REASON_BAD_SPEC},
		{"digest of other bytes", []*verifierv1.VerifyRolloutsRequest{good(), wrongDigest}, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"item without seq", []*verifierv1.VerifyRolloutsRequest{good(), noSeq}, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stream, err := c.VerifyRollouts(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range tt.frames {
				if err := stream.Send(f); err != nil && !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
			}
			for err == nil {
				_, err = stream.Recv()
			}
			if !rpc.Is(err, tt.reason) {
				t.Errorf("%v, want %s", err, tt.reason)
			}
		})
	}
}

func TestWindow(t *testing.T) {
	w := window{maxItems: 4, maxBytes: 100}
	if !w.take(10, 500) {
		t.Error("a frame above the window must pass alone")
	}
	if w.take(1, 1) {
		t.Error("more than the window was taken")
	}
	w.earn(10, 500)
	if c := w.grant(false); c.GetItems() != 10 || c.GetBytes() != 500 {
		t.Errorf("granted %v", c)
	}
	if !w.take(2, 50) || !w.take(2, 50) || w.take(1, 0) {
		t.Error("the window is not 4 items")
	}
	w.earn(0, 0)
	if c := w.grant(true); c != nil {
		t.Errorf("granted %v for nothing", c)
	}
	w.maxItems = 400
	w.earn(1, 1)
	if c := w.grant(false); c != nil {
		t.Errorf("granted %v too early", c)
	}
	if c := w.grant(true); c.GetItems() != 1 {
		t.Errorf("an idle pump keeps credit: %v", c)
	}
}

// slow holds its verdict until it is let go.
type slow struct{ release chan struct{} }

func (s slow) Judge(*verdict.Candidate) verdict.Verdict {
	<-s.release
	return verdict.Pass("slow", "equal")
}

// broken fails as no judge may.
type broken struct{}

func (broken) Judge(*verdict.Candidate) verdict.Verdict { panic("a bug") }

// install puts a judge under the name of a spec.
func install(t testing.TB, s *Service, m *verifierv1.Spec, j verdict.Judge) {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	s.compiled.known[string(b)] = &catalog.Compiled{Name: m.GetName(), Judge: j, Spec: spec.Resolved{Name: m.GetName()}}
}

func TestDeadlineIsOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := clock.NewFake(time.Unix(0, 0))
		s, err := New(Config{Code: "test"}, Deps{Clock: now})
		if err != nil {
			t.Fatal(err)
		}
		j := slow{make(chan struct{})}
		m := &verifierv1.Spec{Name: "slow"}
		install(t, s, m, j)
		ctx, cancel := context.WithCancel(t.Context())
		stream := newFakeStream(ctx)
		done := make(chan error, 1)
		go func() { done <- s.VerifyRollouts(stream) }()
		stream.in <- opening(&verifierv1.OpenVerify{Protocol: 1, Spec: m, Deadline: durationpb.New(10 * time.Second)})
		<-stream.out
		stream.in <- items(rollout(t, "a", "x", "1"), rollout(t, "b", "x", "1"))
		synctest.Wait()
		now.Advance(9 * time.Second)
		synctest.Wait()
		select {
		case m := <-stream.out:
			t.Fatalf("an answer before the deadline: %v", m)
		default:
		}
		now.Advance(time.Second)
		synctest.Wait()
		got := (<-stream.out).GetVerdicts().GetItems()
		for _, v := range got {
			s := v.GetSummary()
			if s.GetUnscored().GetReason() != corev1.UnscoredReason_UNSCORED_REASON_DEADLINE || !s.GetUnscored().GetRetryable() || !s.GetTimeDependent() {
				t.Errorf("%v", s)
			}
		}
		if len(got) != 2 {
			t.Errorf("%d answers at the deadline, want 2", len(got))
		}
		if credit := (<-stream.out).GetCredit(); credit.GetItems() != 2 {
			t.Errorf("credit %v", credit)
		}
		close(j.release) // the worker comes too late, and nothing more is said
		synctest.Wait()
		select {
		case m := <-stream.out:
			t.Errorf("an answer after the deadline: %v", m)
		default:
		}
		if e, ok := s.replay.Get(keyOf(s, m, "a")); ok && e.Verdict.GetSummary().GetUnscored() != nil {
			t.Error("a verdict that a clock decided is remembered")
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("the end of a cancelled stream: %v", err)
		}
	})
}

func TestCancelIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{Code: "test"}, Deps{Clock: clock.NewFake(time.Unix(0, 0))})
		if err != nil {
			t.Fatal(err)
		}
		j := slow{make(chan struct{})}
		m := &verifierv1.Spec{Name: "slow"}
		install(t, s, m, j)
		stream := newFakeStream(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.VerifyRollouts(stream) }()
		stream.in <- opening(&verifierv1.OpenVerify{Protocol: 1, Spec: m})
		<-stream.out
		stream.in <- items(rollout(t, "a", "x", "1"))
		synctest.Wait()
		for range 2 { // the second time it is gone
			stream.in <- &verifierv1.VerifyRolloutsRequest{Frame: &verifierv1.VerifyRolloutsRequest_Cancel{Cancel: &verifierv1.CancelItem{Seq: 1}}}
		}
		got := (<-stream.out).GetVerdicts().GetItems()
		if len(got) != 1 || got[0].GetSummary().GetUnscored().GetReason() != corev1.UnscoredReason_UNSCORED_REASON_CANCELLED {
			t.Errorf("%v", got)
		}
		close(j.release)
		close(stream.in)
		go func() {
			for range stream.out {
			}
		}()
		if err := <-done; err != nil {
			t.Error(err)
		}
		close(stream.out)
	})
}

func TestAPanickingJudgeIsOurFault(t *testing.T) {
	c, s := serve(t, Config{}, Deps{})
	m := &verifierv1.Spec{Name: "broken"}
	install(t, s, m, broken{})
	got, err := c.Verify(t.Context(), &verifierv1.VerifyRequest{Spec: m, Candidate: &verifierv1.Candidate{RolloutId: "a"}})
	if err != nil || got.GetVerdict().GetUnscored().GetReason() != corev1.UnscoredReason_UNSCORED_REASON_JUDGE_ERROR {
		t.Errorf("%v, %v", got, err)
	}
}

func TestCallersThatVanishFreeTheirGoroutines(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{}) // goleak looks at the end
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		stream, _ := open(ctx, t, c, &verifierv1.OpenVerify{Protocol: 1, RunId: "run", Spec: specFor(t, "math", nil)})
		if err := stream.Send(items(rollout(t, "a", "#### 1", "1"))); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
}
