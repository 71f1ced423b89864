package llama

// Elements of the "hyper" input of grad, apply and step graphs.
const (
	hLR = iota
	hBeta1
	hBeta2
	hEps
	hDecay
	hMaxNorm
	hBias1 // 1 − β1ᵗ
	hBias2 // 1 − β2ᵗ
	hClipLow
	hClipHigh
	hDualClip
	hDelta
	hKL
	hEntropy  // coefficient divided by the tokens of the whole batch
	hOnPolicy // 1: the old log probabilities are the present ones
	hSequence // 1: one ratio a sequence
	hInvTemp
	numHyper
)

// Off is the value of a bound that never binds.
const Off = 1e30

// Hyper are the numbers of one step as the graphs take them.
type Hyper struct {
	LR, Beta1, Beta2, Eps, Decay, MaxNorm float64
	Bias1, Bias2                          float64
	ClipLow, ClipHigh, DualClip, Delta    float64
	KL, Entropy                           float64
	OnPolicy, Sequence                    bool
	InvTemp                               float64
}

// Vector is the "hyper" input.
func (h Hyper) Vector() []float32 {
	bit := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	v := [numHyper]float64{hLR: h.LR, hBeta1: h.Beta1, hBeta2: h.Beta2, hEps: h.Eps, hDecay: h.Decay, hMaxNorm: h.MaxNorm,
		hBias1: h.Bias1, hBias2: h.Bias2, hClipLow: h.ClipLow, hClipHigh: h.ClipHigh, hDualClip: h.DualClip, hDelta: h.Delta,
		hKL: h.KL, hEntropy: h.Entropy, hOnPolicy: bit(h.OnPolicy), hSequence: bit(h.Sequence), hInvTemp: h.InvTemp}
	out := make([]float32, numHyper)
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}

// Measure is one element of the "measures" output: sums over the micro-batch, so that micro-batches add up exactly to
// the batch; the caller divides.
type Measure int

// Measures.
const (
	MPolicy    Measure = iota // Σ w·ℓ
	MLoss                     // with KL and entropy terms
	MTokens                   // tokens that count
	MRows                     // rows that count
	MKL                       // Σ k3 against the reference
	MKLClamped                // tokens whose log ratio to the reference was clamped
	MUpdate                   // Σ k3 against the old policy
	MEntropy
	MNLL
	MLow // tokens, or rows with a sequence ratio
	MHigh
	MDual
	MRatioMax // a maximum, as the next
	MRatioDev
	NumMeasures
)
