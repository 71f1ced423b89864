package objective

import "fmt"

// GAE is generalised advantage estimation over one row (arXiv 1506.02438): δ_t = r_t + γV_{t+1} − V_t,
// A_t = δ_t + γλA_{t+1}, returns R_t = A_t + V_t. The value after the last token is 0: the episode ends there.
func GAE(reward, value []float64, gamma, lambda float64) (advantage, returns []float64, err error) {
	if len(reward) != len(value) {
		return nil, nil, fmt.Errorf("gae: %d rewards for %d values", len(reward), len(value))
	}
	advantage, returns = make([]float64, len(reward)), make([]float64, len(reward))
	nextV, nextA := 0.0, 0.0
	for t := len(reward) - 1; t >= 0; t-- {
		nextA = reward[t] + gamma*nextV - value[t] + gamma*lambda*nextA
		nextV = value[t]
		advantage[t], returns[t] = nextA, nextA+value[t]
	}
	return advantage, returns, nil
}
