package objective

import "math"

// ISMode says how a token's term is weighted by exp(old − sampling), the correction for a sampler whose numbers differ
// from the trainer's (TRL, verl: "rollout correction").
type ISMode string

// Modes: weight by token or by sequence; above the cap the weight is cut to it, or the term dropped.
const (
	TokenTruncate    ISMode = "token_truncate"
	TokenMask        ISMode = "token_mask"
	SequenceTruncate ISMode = "sequence_truncate"
	SequenceMask     ISMode = "sequence_mask"
)

// importance are the weights of one row before and after the cap.
func importance(mode ISMode, limit float64, old, sampling []float64, mask []bool) (raw, capped []float64) {
	raw, capped = make([]float64, len(old)), make([]float64, len(old))
	sum := 0.0
	for t := range old {
		if mask[t] {
			sum += old[t] - sampling[t]
		}
	}
	for t := range old {
		switch mode {
		case TokenTruncate, TokenMask:
			raw[t] = math.Exp(old[t] - sampling[t])
		default:
			raw[t] = math.Exp(sum)
		}
		switch capped[t] = math.Min(raw[t], limit); {
		case mode == TokenMask && raw[t] > limit, mode == SequenceMask && raw[t] > limit:
			capped[t] = 0
		}
	}
	return raw, capped
}
