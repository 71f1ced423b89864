package pump

import (
	"math"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// Judged is a rollout with its verdict, in row order of its round.
type Judged struct {
	ID     string
	Group  string
	Digest []byte // of the rollout's bytes
	Row    string // erasure group of its row; empty where the run is one group
	Item   *verifierv1.VerdictItem
}

// ungrouped rows share a REWARD record by this many.
const ungrouped = 64

// Records gives the records that close a round, in the one order that the ledger knows: VERDICT for each row in row order,
// then REWARD for each group in the order of its first row. The order in which verdicts came never matters.
func Records(round []Judged) ([]*recorderv1.Record, [][]byte, error) {
	out := make([]*recorderv1.Record, 0, len(round)+len(round)/4+1)
	for _, j := range round {
		volatile, err := proto.Marshal(j.Item.GetMeasured())
		if err != nil {
			return nil, nil, err
		}
		out = append(out, &recorderv1.Record{Type: recorderv1.RecordType_RECORD_TYPE_VERDICT, Payload: j.Item.GetVerdict(), Volatile: volatile, ErasureGroup: j.Row})
	}
	var paid [][]byte
	for _, b := range rewards(round) {
		payload, err := proto.MarshalOptions{Deterministic: true}.Marshal(b.RewardBatch)
		if err != nil {
			return nil, nil, err
		}
		paid = append(paid, payload)
		out = append(out, &recorderv1.Record{Type: recorderv1.RecordType_RECORD_TYPE_REWARD, Payload: payload, ErasureGroup: b.row})
	}
	return out, paid, nil
}

// batch is the payload of a REWARD record, and whose it is.
type batch struct {
	*corev1.RewardBatch
	row string
}

// rewards groups by group id, never by call: a group may be split over frames. Where rows are erased one by one a record
// holds rewards of one row: those of none share theirs by row, and a group of several rows, which no engine of ours makes,
// is split too.
func rewards(round []Judged) []batch {
	var out []batch
	type key struct{ group, row string }
	open := map[key]batch{}
	for _, j := range round {
		k := key{j.Group, j.Row}
		b := open[k]
		if b.RewardBatch == nil || (j.Group == "" && len(b.GetRewards()) == ungrouped) {
			b = batch{&corev1.RewardBatch{GroupId: j.Group}, j.Row}
			open[k] = b
			out = append(out, b)
		}
		b.Rewards = append(b.Rewards, reward(j))
	}
	return out
}

// reward decides what training does with a rollout: scored is used, unscored is masked, and a group whose sandbox failed
// again and again is left out whole.
func reward(j Judged) *corev1.Reward {
	r := &corev1.Reward{RolloutId: j.ID, RolloutDigest: j.Digest, Use: corev1.TrainUse_TRAIN_USE_USE}
	s := j.Item.GetSummary()
	switch v := s.GetOutcome().(type) {
	case *verifierv1.VerdictSummary_Scored:
		r.Verdict = &corev1.Reward_Scored{Scored: v.Scored}
		if !finite(v.Scored.GetReward()) {
			r.Verdict = &corev1.Reward_Unscored{Unscored: &corev1.Unscored{Reason: corev1.UnscoredReason_UNSCORED_REASON_NON_FINITE}}
			r.Use = corev1.TrainUse_TRAIN_USE_MASK
		}
	case *verifierv1.VerdictSummary_Unscored:
		r.Verdict = &corev1.Reward_Unscored{Unscored: v.Unscored}
		r.Use = corev1.TrainUse_TRAIN_USE_MASK
	}
	if s.GetQuarantine() {
		r.Use = corev1.TrainUse_TRAIN_USE_QUARANTINE_GROUP
	}
	return r
}

// finite says whether a reward can be averaged: one that cannot would spoil the advantages of its whole group.
func finite(reward float64) bool { return !math.IsNaN(reward) && !math.IsInf(reward, 0) }

// Summarise reads from a recorded verdict what the verifier would have said beside it.
func Summarise(verdict []byte) (*verifierv1.VerdictSummary, error) {
	var v corev1.Verdict
	if err := proto.Unmarshal(verdict, &v); err != nil {
		return nil, err
	}
	s := &verifierv1.VerdictSummary{}
	switch x := v.GetVerdict().(type) {
	case *corev1.Verdict_Scored:
		s.Outcome = &verifierv1.VerdictSummary_Scored{Scored: x.Scored}
	case *corev1.Verdict_Unscored:
		s.Outcome = &verifierv1.VerdictSummary_Unscored{Unscored: x.Unscored}
	}
	for _, f := range v.GetFindings() {
		s.Quarantine = s.GetQuarantine() || f.GetKind() == "repeated_infrastructure_failure"
		s.TimeDependent = s.GetTimeDependent() || f.GetKind() == "time_dependent"
	}
	return s, nil
}

// late is the verdict of a rollout whose verifier never answered: unscored, and marked as decided by a clock.
func late(j Judged) (*verifierv1.VerdictItem, error) {
	why := &corev1.Unscored{Reason: corev1.UnscoredReason_UNSCORED_REASON_DEADLINE, Detail: "no verdict before the deadline", Retryable: true}
	v := &corev1.Verdict{RolloutId: j.ID, RolloutDigest: j.Digest, Verdict: &corev1.Verdict_Unscored{Unscored: why},
		Findings: []*corev1.Finding{{Kind: "time_dependent", Severity: corev1.Severity_SEVERITY_INFO, Detail: "the orchestrator's deadline passed"}}}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(v)
	return &verifierv1.VerdictItem{Verdict: b, Summary: &verifierv1.VerdictSummary{
		Outcome: &verifierv1.VerdictSummary_Unscored{Unscored: why}, TimeDependent: true}}, err
}
