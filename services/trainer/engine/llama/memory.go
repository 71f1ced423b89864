package llama

// Memory estimates the bytes that training holds: 24 a trained parameter (weights and two moments, each twice, since a
// step writes beside the old state), 4 a frozen one, and the activations of a micro-batch of rows × tokens, which the
// backward pass keeps. The sum over activations counts 4 bytes each and half as much again for cotangents and for what
// the arena cannot fill: with that, the benchmark's measured sizes are met within a fifth.
func (c Config) Memory(rows, tokens int) int64 {
	q := c.Heads * c.HeadDim
	perToken := c.Layers*(12*max(c.Dim, q)+6*c.FFN+4*c.Heads*tokens) + 3*c.Vocab
	return 24*int64(Count(c.Trained())) + 4*int64(Count(c.Frozen())) + 6*int64(rows)*int64(tokens)*int64(perToken)
}
