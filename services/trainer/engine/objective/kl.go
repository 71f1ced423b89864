package objective

import "math"

// KLClamp bounds log(ref/policy) before it is exponentiated. A token beyond it is counted, never hidden.
const KLClamp = 20.0

// KL is one token's estimate of KL(policy‖reference) for a token drawn from the policy, and its derivative by logp.
// Estimators after J. Schulman, "Approximating KL divergence", with r = ref/policy.
type KL struct {
	Value, Grad float64
	Clamped     bool
}

// K1 is −log r: unbiased, may be negative.
func K1(logp, ref float64) KL { return KL{Value: logp - ref, Grad: 1} }

// K2 is ½(log r)²: biased, positive.
func K2(logp, ref float64) KL {
	x := ref - logp
	return KL{Value: x * x / 2, Grad: -x}
}

// K3 is r − 1 − log r: unbiased, positive; log r is clamped to ±KLClamp, where the derivative is 0.
func K3(logp, ref float64) KL {
	x := ref - logp
	if math.Abs(x) > KLClamp {
		x = math.Copysign(KLClamp, x)
		return KL{Value: math.Expm1(x) - x, Clamped: true}
	}
	return KL{Value: math.Expm1(x) - x, Grad: -math.Expm1(x)}
}
