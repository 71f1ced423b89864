package measure

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// noopVerifier pays 1 for everything, so that the pump's own cost shows.
type noopVerifier struct {
	verifierv1.UnimplementedVerifierServiceServer
}

// VerifyRollouts answers each frame with its verdicts.
func (noopVerifier) VerifyRollouts(s verifierv1.VerifierService_VerifyRolloutsServer) error {
	if _, err := s.Recv(); err != nil {
		return err
	}
	credit := &verifierv1.VerifyCredit{Bytes: 64 << 20, Items: 1 << 20}
	opened := &verifierv1.VerifyOpened{VerifierDigest: make([]byte, 32), Credit: credit}
	if err := s.Send(&verifierv1.VerifyRolloutsResponse{Frame: &verifierv1.VerifyRolloutsResponse_Opened{Opened: opened}}); err != nil {
		return err
	}
	for {
		m, err := s.Recv()
		if err != nil {
			return nil // the caller has gone
		}
		if err := answer(s, m.GetItems().GetItems()); err != nil {
			return err
		}
	}
}

func answer(s verifierv1.VerifierService_VerifyRolloutsServer, items []*verifierv1.VerifyItem) error {
	out := &verifierv1.VerdictItems{}
	back := &verifierv1.VerifyCredit{}
	for _, i := range items {
		scored := &corev1.Scored{Reward: 1, Passed: true}
		v := &corev1.Verdict{RolloutId: i.GetRolloutId(), RolloutDigest: i.GetDigest(), Verifier: "noop", Reason: "equal",
			Verdict: &corev1.Verdict_Scored{Scored: scored}}
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(v)
		if err != nil {
			return err
		}
		out.Items = append(out.Items, &verifierv1.VerdictItem{Seq: i.GetSeq(), Verdict: b,
			Summary: &verifierv1.VerdictSummary{Outcome: &verifierv1.VerdictSummary_Scored{Scored: scored}}})
		back.Bytes += uint64(len(i.GetRollout()))
		back.Items++
	}
	if err := s.Send(&verifierv1.VerifyRolloutsResponse{Frame: &verifierv1.VerifyRolloutsResponse_Verdicts{Verdicts: out}}); err != nil {
		return err
	}
	return s.Send(&verifierv1.VerifyRolloutsResponse{Frame: &verifierv1.VerifyRolloutsResponse_Credit{Credit: back}})
}

// syntheticTrainer sends rounds of random rollouts, groups of 8, and waits for their rewards: a trainer without a model.
type syntheticTrainer struct {
	trainerv1.UnimplementedTrainerServiceServer
	cfg PumpConfig
}

const perFrame = 16

// Train sends every round and ends.
func (t syntheticTrainer) Train(s trainerv1.TrainerService_TrainServer) error {
	if _, err := s.Recv(); err != nil {
		return err
	}
	body := make([]byte, t.cfg.Size)
	if _, err := rand.Read(body); err != nil {
		return err
	}
	for sent, step := 0, uint64(0); sent < t.cfg.Rollouts; step++ {
		n := min(t.cfg.Round, t.cfg.Rollouts-sent)
		if err := t.round(s, body, step, sent, n); err != nil {
			return err
		}
		sent += n
		for paid := 0; paid < n; {
			m, err := s.Recv()
			if err != nil {
				return err
			}
			for _, b := range m.GetVerdicts().GetRewards() {
				var r corev1.RewardBatch
				if err := proto.Unmarshal(b, &r); err != nil {
					return err
				}
				paid += len(r.GetRewards())
			}
		}
	}
	return nil
}

func (t syntheticTrainer) round(s trainerv1.TrainerService_TrainServer, body []byte, step uint64, first, n int) error {
	for from := 0; from < n; from += perFrame {
		to := min(from+perFrame, n)
		b := &trainerv1.RolloutBatch{Step: step, LastOfRound: to == n}
		for i := first + from; i < first+to; i++ {
			own := append([]byte(nil), body...)
			copy(own, fmt.Sprintf("%016d", i)) // every rollout is another one
			d := sha256.Sum256(own)
			b.Rollouts = append(b.Rollouts, &trainerv1.RolloutFrame{RolloutId: fmt.Sprintf("s%d.%d", step, i), GroupId: fmt.Sprintf("s%d.g%d", step, i/8),
				GroupSize: 8, Digest: d[:], Body: own})
		}
		if err := s.Send(&trainerv1.TrainResponse{Body: &trainerv1.TrainResponse_Rollouts{Rollouts: b}}); err != nil {
			return err
		}
	}
	return nil
}
