package metric

import "strings"

// Own maps a key of the built-in engine, whose names are canonical already. Any other key is kept as raw.<key>: it is
// recorded and gets only the detectors that need no meaning. An eval_ or val- prefix says the scope.
func Own(key string) (name, scope string) {
	for _, prefix := range []string{"eval_", "val-"} {
		if rest, ok := strings.CutPrefix(key, prefix); ok && rest != "" {
			name, _ = Own(rest)
			return name, "eval"
		}
	}
	if _, known := Lookup(key); known || strings.HasPrefix(key, rawPrefix) {
		return key, ""
	}
	return rawPrefix + key, ""
}
