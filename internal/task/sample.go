package task

import "iter"

// fruitless is how many draws in a row may give nothing new before a split counts as exhausted. With N instances left
// out of M, the chance to miss them that often is (1−N/M)^fruitless: below 1e-9 for one of 10,000.
const fruitless = 200_000

// Sample gives the first n different instances of a split, in the order of their index. The same arguments give the
// same instances, and a smaller n gives a prefix. The error is an *ExhaustedError or a *SettingError.
func Sample(p Pack, seed uint64, split Split, n int, s Setting) ([]Instance, error) {
	out := make([]Instance, 0, min(n, 1<<16))
	for i, err := range Stream(p, seed, split, n, s) {
		if err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	return out, nil
}

// Stream is Sample without keeping what it gave; it ends after n instances or the first error.
func Stream(p Pack, seed uint64, split Split, n int, s Setting) iter.Seq2[Instance, error] {
	return func(yield func(Instance, error) bool) {
		seen := make(map[string]struct{}, min(n, 1<<16))
		missed := 0
		for index := uint64(0); len(seen) < n; index++ {
			i, err := p.Instance(seed, index, s)
			if err != nil {
				yield(Instance{}, err)
				return
			}
			if _, again := seen[i.ID]; again || i.Split != split {
				if missed++; missed >= fruitless {
					yield(Instance{}, &ExhaustedError{Pack: p.Name(), Split: split, Want: n, Found: len(seen)})
					return
				}
				continue
			}
			missed = 0
			seen[i.ID] = struct{}{}
			if !yield(i, nil) {
				return
			}
		}
	}
}
