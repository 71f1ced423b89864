package pump

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// verifier judges by the rollout's id, gives credit back after its verdicts as the real one does, and can be told to be
// slow, silent, disorderly or broken.
type verifier struct {
	verifierv1.UnimplementedVerifierServiceServer
	bytes uint64
	items uint32
	bell  *Bell

	mu       sync.Mutex
	salt     string          // another salt judges otherwise, as a verifier that looks at a clock may
	hold     bool            // no answers
	mute     map[string]bool // rollouts without a verdict
	forgets  map[string]bool // rollouts whose second verdict never comes
	order    func([]*verifierv1.VerdictItem)
	twice    bool
	end      bool  // hangs up
	broken   error // ends the stream with the next answer
	reject   *verifierv1.VerifyReject
	rng      *rand.Rand
	asked    []string // ids in the order in which they came
	answered int
	now      *judging // the newest stream; an older one may not have noticed its end
	held     *verifierv1.Holdout
}

func newVerifier() *verifier {
	return &verifier{bytes: 1 << 20, items: 1 << 10, bell: NewBell(), mute: map[string]bool{}, forgets: map[string]bool{}}
}

func (v *verifier) set(f func(*verifier)) {
	v.mu.Lock()
	f(v)
	v.mu.Unlock()
	v.bell.ring()
}

func (v *verifier) count() (asked, answered int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.asked), v.answered
}

func hash(parts ...string) uint32 {
	h := fnv.New32a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p)) // a hash never fails
		_, _ = h.Write([]byte{0})
	}
	return h.Sum32()
}

// drawn is the verifier's choice of rollouts that it judges twice: a function of the rollout alone.
func drawn(id string) bool { return hash("draw", id)%3 == 0 }

// verdict is what is said of a rollout: mostly a score, sometimes none, now and then a broken sandbox.
func verdict(id, salt string, digest []byte) *verifierv1.VerdictItem {
	v := &corev1.Verdict{RolloutId: id, RolloutDigest: digest}
	h := hash("verdict", id, salt)
	if h%5 == 0 {
		v.Verdict = &corev1.Verdict_Unscored{Unscored: &corev1.Unscored{Reason: corev1.UnscoredReason_UNSCORED_REASON_BAD_REFERENCE}}
	} else {
		v.Verdict = &corev1.Verdict_Scored{Scored: &corev1.Scored{Reward: float64(h%100) / 100, Passed: h%2 == 0}}
	}
	if h%7 == 0 {
		v.Findings = []*corev1.Finding{{Kind: "repeated_infrastructure_failure", Severity: corev1.Severity_SEVERITY_WARN}}
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(v)
	if err != nil {
		return nil
	}
	s, err := Summarise(b)
	if err != nil {
		return nil
	}
	return &verifierv1.VerdictItem{Verdict: b, Summary: s, Measured: &corev1.Measured{Attempt: 1}}
}

func (v *verifier) VerifyRollouts(stream verifierv1.VerifierService_VerifyRolloutsServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	v.set(func(v *verifier) { v.held = first.GetOpen().GetHoldout() })
	opened := &verifierv1.VerifyOpened{VerifierDigest: []byte("verifier"), Credit: &verifierv1.VerifyCredit{Bytes: v.bytes, Items: v.items}}
	if err := stream.Send(&verifierv1.VerifyRolloutsResponse{Frame: &verifierv1.VerifyRolloutsResponse_Opened{Opened: opened}}); err != nil {
		return err
	}
	s := &judging{v: v}
	v.set(func(v *verifier) { v.now = s })
	go s.receive(stream) // ends with the stream, which ends when this returns
	return s.answer(stream)
}

// judging is one stream of a verifier.
type judging struct {
	v       *verifier
	pending []*verifierv1.VerifyItem
	second  []*verifierv1.VerdictItem
	lost    int // items that keep their credit
	end     bool
}

func (s *judging) receive(stream verifierv1.VerifierService_VerifyRolloutsServer) {
	for {
		m, err := stream.Recv()
		s.v.set(func(v *verifier) {
			s.end = err != nil
			for _, i := range m.GetItems().GetItems() {
				v.asked = append(v.asked, i.GetRolloutId())
				s.pending = append(s.pending, i)
			}
		})
		if err != nil {
			return
		}
	}
}

func (s *judging) answer(stream verifierv1.VerifierService_VerifyRolloutsServer) error {
	for {
		wait := s.v.bell.wait()
		frames, err, over := s.due()
		for _, f := range frames {
			if err := stream.Send(f); err != nil {
				return err
			}
		}
		switch {
		case err != nil || over:
			return err
		case len(frames) > 0:
			continue
		}
		select {
		case <-wait:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

// due answers some of what is pending: a frame of verdicts, one of second verdicts, and the credit that they free.
func (s *judging) due() (out []*verifierv1.VerifyRolloutsResponse, err error, over bool) { //nolint:revive // over is not an error
	v := s.v
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.end {
		return nil, nil, true
	}
	if v.hold {
		return nil, nil, s.end
	}
	if len(s.pending) > 0 && v.broken != nil {
		return nil, v.broken, true
	}
	if len(s.pending) > 0 && v.reject != nil {
		return []*verifierv1.VerifyRolloutsResponse{{Frame: &verifierv1.VerifyRolloutsResponse_Reject{Reject: v.reject}}}, nil, true
	}
	verdicts, credit := s.judge()
	if v.order != nil {
		v.order(verdicts)
	}
	if len(verdicts) > 0 {
		v.answered += len(verdicts)
		for range 1 + map[bool]int{true: 1}[v.twice] {
			out = append(out, &verifierv1.VerifyRolloutsResponse{Frame: &verifierv1.VerifyRolloutsResponse_Verdicts{Verdicts: &verifierv1.VerdictItems{Items: verdicts}}})
		}
	}
	if len(s.second) > 0 {
		out = append(out, &verifierv1.VerifyRolloutsResponse{Frame: &verifierv1.VerifyRolloutsResponse_Heldout{Heldout: &verifierv1.VerdictItems{Items: s.second}}})
		s.second = nil
	}
	if credit.GetItems() > 0 {
		out = append(out, &verifierv1.VerifyRolloutsResponse{Frame: &verifierv1.VerifyRolloutsResponse_Credit{Credit: credit}})
	}
	return out, nil, s.end
}

// judge takes some of the pending items. One that is mute keeps its credit, as one that hangs would.
func (s *judging) judge() (out []*verifierv1.VerdictItem, credit *verifierv1.VerifyCredit) {
	v, credit := s.v, &verifierv1.VerifyCredit{}
	n := len(s.pending)
	if v.rng != nil && n > 0 {
		v.rng.Shuffle(n, func(i, j int) { s.pending[i], s.pending[j] = s.pending[j], s.pending[i] })
		n = 1 + v.rng.IntN(n)
	}
	for _, i := range s.pending[:n] {
		id := i.GetRolloutId()
		if v.mute[id] {
			s.lost++
			continue
		}
		x := verdict(id, v.salt, i.GetDigest())
		x.Seq = i.GetSeq()
		x.HeldoutFollows = v.held != nil && drawn(id)
		out = append(out, x)
		if x.GetHeldoutFollows() && !v.forgets[id] {
			y := verdict(id, v.salt+"second", i.GetDigest())
			y.Seq = i.GetSeq()
			s.second = append(s.second, y)
		}
		credit.Items, credit.Bytes = credit.GetItems()+1, credit.GetBytes()+uint64(len(i.GetRollout()))
	}
	if s.pending = s.pending[n:]; n > 0 {
		v.bell.ring() // there may be more, also where these were all mute
	}
	return out, credit
}

// refusing is a verifier that cannot even be called.
type refusing struct {
	verifierv1.VerifierServiceClient
}

func (*refusing) VerifyRollouts(context.Context, ...grpc.CallOption) (verifierv1.VerifierService_VerifyRolloutsClient, error) {
	return nil, status.Error(codes.Unavailable, "no route")
}
