package llama

// Memory estimates the bytes that training holds: 24 a trained parameter (weights and two moments, each twice, since a
// step writes beside the old state), 4 a frozen one, and the activations of a micro-batch of rows × tokens, which the
// backward pass keeps. It is a formula, within a factor of what is measured; see the benchmark.
func (c Config) Memory(rows, tokens int) int64 {
	q := c.Heads * c.HeadDim
	perToken := c.Layers*(12*max(c.Dim, q)+6*c.FFN+4*c.Heads*tokens) + 3*c.Vocab
	return 24*int64(Count(c.Trained())) + 4*int64(Count(c.Frozen())) + 4*int64(rows)*int64(tokens)*int64(perToken)
}
