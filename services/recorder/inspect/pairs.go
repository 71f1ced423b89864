package inspect

import "slices"

const (
	// pairSteps is how many steps a correlation looks at.
	pairSteps = 5
	// pairMost is how many rollouts of a step are kept: the standard error of a correlation of 640 pairs is 0.04.
	pairMost = 128
)

// Pairs holds reward and length of rollouts of the last 5 steps. The zero value is ready. It is plain data: its JSON is
// all of it.
type Pairs struct {
	Steps []Step `json:"steps,omitempty"` // oldest first
}

// Step is a sample of one step's rollouts. The zero value is ready.
type Step struct {
	Seen    uint64    `json:"seen"` // rollouts of the step, kept or not
	Rewards []float64 `json:"rewards"`
	Lengths []float64 `json:"lengths"`
}

// Add takes a rollout. Of a step with more rollouts than are kept every one has the same chance to stay (Vitter 1985,
// algorithm R), drawn from seed, the step's, and not from a clock, so that a replay keeps the same.
func (s *Step) Add(seed uint64, reward, length float64) {
	s.Seen++
	if len(s.Rewards) < pairMost {
		s.Rewards, s.Lengths = append(s.Rewards, reward), append(s.Lengths, length)
		return
	}
	if i := mix(seed*0x9e3779b97f4a7c15+s.Seen) % s.Seen; i < pairMost {
		s.Rewards[i], s.Lengths[i] = reward, length
	}
}

// Push takes a whole step and gives the memory of the one that leaves.
func (p *Pairs) Push(s Step) (free Step) {
	if len(p.Steps) == pairSteps {
		free = Step{Rewards: p.Steps[0].Rewards[:0], Lengths: p.Steps[0].Lengths[:0]}
		p.Steps = append(p.Steps[:0], p.Steps[1:]...)
	}
	p.Steps = append(p.Steps, s)
	return free
}

// Reset forgets everything: another attempt or stage is another policy.
func (p *Pairs) Reset() { p.Steps = nil }

// Spearman is the rank correlation of reward and length over what is held, and over how many pairs. ok is false where
// there is none: fewer than 3 pairs, or no spread in one of both.
func (p *Pairs) Spearman() (rho float64, n uint64, ok bool) {
	var rewards, lengths []float64
	for i := range p.Steps {
		rewards, lengths = append(rewards, p.Steps[i].Rewards...), append(lengths, p.Steps[i].Lengths...)
	}
	rho, ok = Spearman(rewards, lengths)
	return rho, uint64(len(rewards)), ok
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// ranks gives each value its rank from 1; equal values share their mean rank.
func ranks(v []float64) []float64 {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case v[a] < v[b]:
			return -1
		case v[a] > v[b]:
			return 1
		}
		return a - b
	})
	out := make([]float64, len(v))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && v[order[j]] == v[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			out[k] = float64(i+j+1) / 2
		}
		i = j
	}
	return out
}
