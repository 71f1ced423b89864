package trainer

import (
	"context"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/trainer/engine"
)

// Score gives log probabilities of completions under a checkpoint.
func (s *Service) Score(ctx context.Context, req *trainerv1.ScoreRequest) (*trainerv1.ScoreResponse, error) {
	out := &trainerv1.ScoreResponse{}
	return out, s.with(ctx, req.GetCheckpoint(), func(e engine.Engine, digest []byte) error {
		out.Checkpoint = digest
		r := engine.ScoreRequest{TopK: int(req.GetTopK())}
		for i, t := range req.GetTexts() {
			prompt, err := tokens(e.Tokenizer(), t.GetPrompt())
			if err != nil {
				return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "text %d: prompt: %w", i, err)
			}
			completion, err := e.Tokenizer().Encode(t.GetCompletion())
			if err != nil || len(completion) == 0 || len(prompt)+len(completion) > e.Info().Context {
				return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT,
					"text %d: %d and %d tokens; want at least one to score and at most %d together", i, len(prompt), len(completion), e.Info().Context)
			}
			r.Sequences = append(r.Sequences, engine.Sequence{Tokens: append(prompt, completion...), Start: len(prompt)})
		}
		scores, err := e.Score(ctx, r)
		if err != nil {
			return err
		}
		for i, sc := range scores {
			q := r.Sequences[i]
			t := &trainerv1.ScoredText{Tokens: int32s(q.Tokens[q.Start:]), Logprobs: float32s(sc.LogProbs), Entropy: float32s(sc.Entropy)}
			for _, top := range sc.Top {
				list := &trainerv1.TopList{}
				for _, c := range top {
					list.Tokens = append(list.Tokens, &trainerv1.TopToken{Id: c.ID, Logprob: c.LogProb})
				}
				t.Top = append(t.Top, list)
			}
			out.Texts = append(out.Texts, t)
		}
		return nil
	})
}

// Tokenize encodes text with a checkpoint's tokenizer, without the start token.
func (s *Service) Tokenize(ctx context.Context, req *trainerv1.TokenizeRequest) (*trainerv1.TokenizeResponse, error) {
	out := &trainerv1.TokenizeResponse{}
	return out, s.with(ctx, req.GetCheckpoint(), func(e engine.Engine, _ []byte) error {
		ids, err := e.Tokenizer().Encode(req.GetText())
		digest := e.Tokenizer().Digest()
		out.Tokens, out.TokenizerDigest = ids, digest[:]
		return err
	})
}
