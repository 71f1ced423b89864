package objective

import "fmt"

// Lengths makes masks of full rows, for callers without holes in their rows.
func Lengths(n ...int) [][]bool {
	out := make([][]bool, len(n))
	for i, l := range n {
		out[i] = make([]bool, l)
		for t := range out[i] {
			out[i][t] = true
		}
	}
	return out
}

// Weights are the loss weights of every token. They are computed over the whole optimizer batch, before it is split into
// micro-batches: a loss normalised per micro-batch is not the loss of the batch. A row without any masked-in token
// (unscored, or truncated under DAPO) has weight 0 and does not count as a row. maxLen is L_max of Constant.
func Weights(a Aggregation, mask [][]bool, maxLen int) ([][]float32, error) {
	w, err := weights(Params{Aggregation: a, MaxLen: maxLen}, mask)
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(w))
	for i := range w {
		out[i] = make([]float32, len(w[i]))
		for t, x := range w[i] {
			out[i][t] = float32(x)
		}
	}
	return out, nil
}

func weights(p Params, mask [][]bool) ([][]float64, error) {
	rows, tokens := 0.0, 0.0
	length := make([]float64, len(mask))
	for i, m := range mask {
		for _, on := range m {
			if on {
				length[i]++
			}
		}
		if tokens += length[i]; length[i] > 0 {
			rows++
		}
	}
	if p.NumItems > 0 {
		tokens = p.NumItems
	}
	out := make([][]float64, len(mask))
	for i, m := range mask {
		var w float64
		switch p.Aggregation {
		case SequenceMean:
			w = 1 / (rows * length[i])
		case TokenMean:
			w = 1 / tokens
		case Constant:
			if p.MaxLen < 1 || length[i] > float64(p.MaxLen) {
				return nil, fmt.Errorf("row %d has %g tokens, L_max of the constant aggregation is %d", i, length[i], p.MaxLen)
			}
			w = 1 / (rows * float64(p.MaxLen))
		default:
			return nil, fmt.Errorf("aggregation %q: want sequence_mean, token_mean or constant", p.Aggregation)
		}
		out[i] = make([]float64, len(m))
		for t, on := range m {
			if on {
				out[i][t] = w
			}
		}
	}
	return out, nil
}
