package validity

import (
	"math"
	"math/rand/v2"
	"slices"
)

// group is the rollouts of a task, by index.
type group []int

// advantages are rewards less the task's mean over its standard deviation, as group methods train on them; 0 where a task
// has no spread.
func advantages(rewards []float64, groups []group) []float64 {
	out := make([]float64, len(rewards))
	for _, g := range groups {
		mean, ss := 0.0, 0.0
		for _, i := range g {
			mean += rewards[i] / float64(len(g))
		}
		for _, i := range g {
			ss += (rewards[i] - mean) * (rewards[i] - mean)
		}
		sd := math.Sqrt(ss / float64(max(len(g)-1, 1)))
		for _, i := range g {
			if sd > 0 {
				out[i] = (rewards[i] - mean) / (sd + 1e-4)
			}
		}
	}
	return out
}

// spearman is the correlation of ranks, ties in the middle; ok is false where one side has no spread.
func spearman(a, b []float64) (rho float64, ok bool) {
	return pearson(ranks(a), ranks(b))
}

func ranks(v []float64) []float64 {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		switch {
		case v[i] < v[j]:
			return -1
		case v[i] > v[j]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(v))
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && v[order[to]] == v[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			out[i] = float64(from+to-1) / 2
		}
		from = to
	}
	return out
}

func pearson(a, b []float64) (float64, bool) {
	n := float64(len(a))
	var ma, mb float64
	for i := range a {
		ma += a[i] / n
		mb += b[i] / n
	}
	var sab, saa, sbb float64
	for i := range a {
		sab += (a[i] - ma) * (b[i] - mb)
		saa += (a[i] - ma) * (a[i] - ma)
		sbb += (b[i] - mb) * (b[i] - mb)
	}
	if saa <= 0 || sbb <= 0 {
		return 0, false
	}
	return sab / math.Sqrt(saa*sbb), true
}

// pairs counts, for each task, how often the reward ranks a righter rollout higher: hits, ties counting half, of pairs.
func pairs(rewards []float64, labels []*float64, groups []group) [][2]float64 {
	var out [][2]float64
	for _, g := range groups {
		var hits, n float64
		for _, i := range g {
			for _, j := range g {
				if labels[i] == nil || labels[j] == nil || *labels[i] <= *labels[j] {
					continue
				}
				n++
				switch {
				case rewards[i] > rewards[j]:
					hits++
				case rewards[i] == rewards[j]:
					hits += 0.5
				}
			}
		}
		if n > 0 {
			out = append(out, [2]float64{hits, n})
		}
	}
	return out
}

func auc(tasks [][2]float64) float64 {
	var hits, n float64
	for _, t := range tasks {
		hits += t[0]
		n += t[1]
	}
	return hits / n
}

// lowerDifference is the lower end of the 95 % interval of auc(a) − auc(b), by a bootstrap that draws tasks for both at
// once.
func lowerDifference(rng *rand.Rand, a, b [][2]float64, draws int) float64 {
	diffs := make([]float64, draws)
	for d := range diffs {
		var ha, na, hb, nb float64
		for range a {
			t := rng.IntN(len(a))
			ha, na, hb, nb = ha+a[t][0], na+a[t][1], hb+b[t][0], nb+b[t][1]
		}
		diffs[d] = ha/na - hb/nb
	}
	slices.Sort(diffs)
	return diffs[int(0.025*float64(draws))]
}

// signFlip is the p value of a mean above 0, by flipping signs of the tasks' differences.
func signFlip(rng *rand.Rand, diffs []float64, permutations int) float64 {
	observed := 0.0
	for _, d := range diffs {
		observed += d
	}
	as := 1
	for range permutations {
		sum := 0.0
		for _, d := range diffs {
			if rng.IntN(2) == 0 {
				d = -d
			}
			sum += d
		}
		if sum >= observed-1e-12 {
			as++
		}
	}
	return float64(as) / float64(permutations+1)
}

// explained is R² of rewards on two regressors, all three less their task's mean; ok is false without spread in the reward.
func explained(y, x1, x2 []float64, groups []group) (float64, bool) {
	y, x1, x2 = centred(y, groups), centred(x1, groups), centred(x2, groups)
	dot := func(a, b []float64) float64 {
		s := 0.0
		for i := range a {
			s += a[i] * b[i]
		}
		return s
	}
	yy := dot(y, y)
	if yy <= 1e-12 {
		return 0, false
	}
	a, b, c, d, e := dot(x1, x1), dot(x1, x2), dot(x2, x2), dot(x1, y), dot(x2, y)
	switch det := a*c - b*b; {
	case det > 1e-9*a*c && a > 0 && c > 0:
		return (c*d*d - 2*b*d*e + a*e*e) / det / yy, true
	case a > 1e-12:
		return d * d / a / yy, true
	case c > 1e-12:
		return e * e / c / yy, true
	}
	return 0, true
}

func centred(v []float64, groups []group) []float64 {
	out := make([]float64, len(v))
	for _, g := range groups {
		mean := 0.0
		for _, i := range g {
			mean += v[i] / float64(len(g))
		}
		for _, i := range g {
			out[i] = v[i] - mean
		}
	}
	return out
}
