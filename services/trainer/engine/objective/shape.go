package objective

import "fmt"

// Overlong is DAPO's soft punishment (arXiv 2503.14476, eq. 13) for a completion of n tokens, added to its reward:
// 0 up to limit−cache, then linear down to −1 at limit, and −1 beyond, times factor. It is bounded by −factor.
func Overlong(n, limit, cache int, factor float64) (float64, error) {
	if cache < 1 || limit <= cache || factor < 0 {
		return 0, fmt.Errorf("overlong: want 0 < cache < limit and factor ≥ 0, have cache %d, limit %d, factor %g", cache, limit, factor)
	}
	switch safe := limit - cache; {
	case n <= safe:
		return 0, nil
	case n <= limit:
		return factor * float64(safe-n) / float64(cache), nil
	}
	return -factor, nil
}
