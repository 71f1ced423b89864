package objective

import "math"

// stats gathers metrics over the tokens that count.
type stats struct {
	tokens, rows             float64
	low, high, region, dual  float64
	rowCut                   term // what the present row was cut by: with a sequence ratio, rows are counted
	rowLow, rowHigh, rowBoth float64
	rowDual                  float64
	ratioMax                 float64
	nll, entropy, kl, update float64
	clamped                  float64
	diff, diffMax            float64
	seen                     bool
}

func (s *stats) token(t term, ratio float64) {
	bit := func(on bool) float64 {
		if on {
			return 1
		}
		return 0
	}
	s.tokens++
	s.low += bit(t.low)
	s.high += bit(t.high)
	s.region += bit(t.low || t.high)
	s.dual += bit(t.dual)
	s.rowCut, s.seen = t, true
	s.ratioMax = math.Max(s.ratioMax, ratio)
}

func (s *stats) row(c Case, i int) {
	if !s.seen {
		return
	}
	s.seen = false
	s.rows++
	if s.rowCut.low {
		s.rowLow++
	}
	if s.rowCut.high {
		s.rowHigh++
	}
	if s.rowCut.low || s.rowCut.high {
		s.rowBoth++
	}
	if s.rowCut.dual {
		s.rowDual++
	}
	for t, on := range c.Mask[i] {
		if !on {
			continue
		}
		s.nll -= c.LogP[i][t]
		if c.Entropy != nil {
			s.entropy += c.Entropy[i][t]
		}
		if c.Ref != nil {
			k := K3(c.LogP[i][t], c.Ref[i][t])
			if s.kl += k.Value; k.Clamped {
				s.clamped++
			}
		}
		if c.Old != nil {
			// The rows were drawn from the old policy, so r = policy/old here.
			s.update += K3(c.Old[i][t], c.LogP[i][t]).Value
			if c.Sampling != nil {
				d := math.Abs(c.Old[i][t] - c.Sampling[i][t])
				s.diff += d
				s.diffMax = math.Max(s.diffMax, d)
			}
		}
	}
}

// metrics leaves out what was not given: a KL without a reference is absent, not 0.
func (s *stats) metrics(r Row, c Case) map[string]float64 {
	m := map[string]float64{}
	if s.tokens == 0 {
		return m
	}
	m["policy.nll"] = s.nll / s.tokens
	if c.Entropy != nil {
		m["policy.entropy"] = s.entropy / s.tokens
	}
	if c.Ref != nil {
		m["kl.ref"], m["kl.ref_clamped"] = s.kl/s.tokens, s.clamped/s.tokens
	}
	if c.Old == nil {
		return m
	}
	m["kl.update"], m["ratio.max"] = s.update/s.tokens, s.ratioMax
	if c.Sampling != nil {
		m["mismatch.logp_absdiff.mean"], m["mismatch.logp_absdiff.max"] = s.diff/s.tokens, s.diffMax
	}
	low, high, both, dual, n := s.low, s.high, s.region, s.dual, s.tokens
	if r.SequenceRatio { // shares of sequences, as the ratio is one of sequences
		low, high, both, dual, n = s.rowLow, s.rowHigh, s.rowBoth, s.rowDual, s.rows
	}
	m["clip.low"], m["clip.high"], m["clip.region"] = low/n, high/n, both/n
	if r.Params.DualClip > 0 {
		m["clip.dual"] = dual / n
	}
	return m
}
