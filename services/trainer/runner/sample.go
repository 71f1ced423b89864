package runner

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/services/trainer/engine"
)

// rollout is one sampled row on its way through a step.
type rollout struct {
	text   *encoded
	id     string
	group  string
	at     int // number of its group within the step
	digest [32]byte
	out    engine.Row
	ref    []float32
	paid   *corev1.Reward // as it came; one that comes again must be the same
	reward *corev1.Reward // what is learned from
	masked bool           // by TrainUse, or cut at the limit where the objective masks such rows
}

// tokens is prompt and completion.
func (x *rollout) tokens() []int32 {
	return append(append(make([]int32, 0, len(x.text.prompt)+len(x.out.Tokens)), x.text.prompt...), x.out.Tokens...)
}

// framesPerMessage: one rollout a message costs twice the CPU of sixteen.
const framesPerMessage = 16

// sampleRound samples groups for the next prompts, sends them in row order and moves the cursor.
func (r *run) sampleRound(ctx context.Context, groups, firstGroup int, round uint32) ([]*rollout, error) {
	s := r.Plan.Spec.GetSampling()
	size := int(s.GetGroupSize())
	out := make([]*rollout, 0, groups*size)
	req := engine.SampleRequest{MaxTokens: int(s.GetMaxTokens()), Temperature: s.GetTemperature()}
	for g := range groups {
		position := r.state.Cursor + uint64(g)
		text := &r.text[r.order.At(position)]
		group := fmt.Sprintf("b%d.s%d.p%d", r.state.Branch, r.state.NextStep, position)
		for k := range size {
			out = append(out, &rollout{text: text, at: firstGroup + g, group: group, id: fmt.Sprintf("%s.%d", group, k)})
			req.Prompts = append(req.Prompts, engine.Prompt{Tokens: text.prompt, Key: engine.Key{Seed: r.Plan.Spec.GetSeed(),
				Branch: r.state.Branch, Step: r.state.NextStep, Prompt: position, Sample: uint32(k)}})
		}
	}
	sampled, err := r.Engine.Sample(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("sample step %d: %w", r.state.NextStep, err)
	}
	if len(sampled) != len(out) {
		return nil, fmt.Errorf("sample step %d: the engine gave %d rows for %d prompts", r.state.NextStep, len(sampled), len(out))
	}
	r.state.Cursor += uint64(groups)
	if err := r.Fault.At(PointSampled); err != nil {
		return nil, err
	}
	for i := range out {
		out[i].out = sampled[i]
	}
	return out, r.send(ctx, out, round)
}

func (r *run) send(ctx context.Context, all []*rollout, round uint32) error {
	for from := 0; from < len(all); from += framesPerMessage {
		to := min(from+framesPerMessage, len(all))
		batch := &trainerv1.RolloutBatch{Step: r.state.NextStep, Branch: r.state.Branch, Round: round, LastOfRound: to == len(all)}
		for _, x := range all[from:to] {
			body, err := r.body(x)
			if err != nil {
				return err
			}
			x.digest = sha256.Sum256(body)
			batch.Rollouts = append(batch.Rollouts, &trainerv1.RolloutFrame{RolloutId: x.id, GroupId: x.group,
				GroupSize: r.Plan.Spec.GetSampling().GetGroupSize(), Digest: x.digest[:], Body: body})
		}
		if err := r.link.Send(ctx, &trainerv1.TrainResponse{Body: &trainerv1.TrainResponse_Rollouts{Rollouts: batch}}); err != nil {
			return err
		}
		if err := r.Fault.At(PointSent); err != nil {
			return err
		}
	}
	return nil
}

// body is the rollout as it is recorded: the policy's text and tokens, and the dataset's columns for the verifier.
func (r *run) body(x *rollout) ([]byte, error) {
	answer, err := r.Engine.Tokenizer().Decode(x.out.Text())
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", x.id, err)
	}
	s := r.Plan.Spec.GetSampling()
	prompt, all := uint32(len(x.text.prompt)), uint32(len(x.text.prompt)+len(x.out.Tokens))
	return marshal(&corev1.Rollout{
		RolloutId: x.id, GroupId: x.group, TaskId: x.text.row.ID, TaskHash: x.text.row.Hash[:], Step: r.state.NextStep,
		Branch: r.state.Branch, Stage: r.state.Stage, Turns: 1, StopReason: string(x.out.Stop), Columns: x.text.row.Columns,
		Policy: []*corev1.PolicySpan{{Version: r.state.Policy, From: prompt, To: all}},
		Segments: []*corev1.Segment{
			{Kind: corev1.SegmentKind_SEGMENT_KIND_PROMPT, Text: x.text.row.Prompt, TokenTo: prompt},
			{Kind: corev1.SegmentKind_SEGMENT_KIND_MODEL, Text: answer, TokenFrom: prompt, TokenTo: all},
		},
		Tokens: int32s(x.tokens()), RolloutLogprobs: float32s(x.out.LogProbs),
		Sampling: &corev1.SamplingParams{Temperature: s.GetTemperature(), MaxTokens: s.GetMaxTokens()},
	})
}

func int32s(x []int32) []byte {
	out := make([]byte, 0, 4*len(x))
	for _, v := range x {
		out = binary.LittleEndian.AppendUint32(out, uint32(v))
	}
	return out
}

func float32s(x []float32) []byte {
	out := make([]byte, 0, 4*len(x))
	for _, v := range x {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	return out
}
