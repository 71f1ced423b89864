package task

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// regexSynth asks for a pattern that matches some strings and not others. Half of the strings are hidden, and the pattern
// may not be longer than the visible ones written out: listing them is no answer.
type regexSynth struct{}

func (regexSynth) Name() string      { return "regex_synth" }
func (regexSynth) Version() string   { return "1" }
func (regexSynth) Presets() []string { return nil }

// language is a set of strings with a pattern for it.
type language struct {
	pattern string
	in      func(rng *rand.Rand) string
	near    func(rng *rand.Rand) string // outside, and close to it
}

func letters(rng *rand.Rand, alphabet string, lo, hi int) string {
	b := make([]byte, lo+rng.IntN(hi-lo+1))
	for i := range b {
		b[i] = alphabet[rng.IntN(len(alphabet))]
	}
	return string(b)
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	digits = "0123456789"
)

// languages come from easy to hard; a difficulty d draws from the first d+2.
func languages() []language {
	return []language{
		{`[0-9]+`, func(r *rand.Rand) string { return letters(r, digits, 1, 6) }, func(r *rand.Rand) string { return letters(r, digits, 1, 4) + letters(r, lower, 1, 2) }},
		{`[a-z]+`, func(r *rand.Rand) string { return letters(r, lower, 1, 6) }, func(r *rand.Rand) string { return letters(r, lower, 0, 4) + letters(r, digits, 1, 1) }},
		{`[a-z]+[0-9]`, func(r *rand.Rand) string { return letters(r, lower, 1, 5) + letters(r, digits, 1, 1) }, func(r *rand.Rand) string { return letters(r, lower, 1, 5) + letters(r, digits, 2, 3) }},
		{`a.*b`, func(r *rand.Rand) string { return "a" + letters(r, lower, 0, 4) + "b" }, func(r *rand.Rand) string { return "a" + letters(r, lower, 0, 4) + "c" }},
		{`(ab)+`, func(r *rand.Rand) string { return strings.Repeat("ab", 1+r.IntN(4)) }, func(r *rand.Rand) string { return strings.Repeat("ab", 1+r.IntN(3)) + "a" }},
		{`[0-9]{2}-[0-9]{3}`, func(r *rand.Rand) string { return letters(r, digits, 2, 2) + "-" + letters(r, digits, 3, 3) }, func(r *rand.Rand) string { return letters(r, digits, 3, 3) + "-" + letters(r, digits, 2, 2) }},
		{`[a-z]+@[a-z]+\.(com|org)`, func(r *rand.Rand) string {
			return letters(r, lower, 2, 5) + "@" + letters(r, lower, 2, 5) + []string{".com", ".org"}[r.IntN(2)]
		}, func(r *rand.Rand) string { return letters(r, lower, 2, 5) + "@" + letters(r, lower, 2, 5) + ".net" }},
		{`(0|[1-9][0-9]*)`, func(r *rand.Rand) string { return fmt.Sprint(r.IntN(5000)) }, func(r *rand.Rand) string { return "0" + letters(r, digits, 1, 3) }},
		{`0*(10*10*)*`, func(r *rand.Rand) string { return evenOnes(r, 0) }, func(r *rand.Rand) string { return evenOnes(r, 1) }},
		{`#([0-9a-f]{3}|[0-9a-f]{6})`, func(r *rand.Rand) string { n := 3 + 3*r.IntN(2); return "#" + letters(r, digits+"abcdef", n, n) }, func(r *rand.Rand) string { n := 4 + r.IntN(2); return "#" + letters(r, digits+"abcdef", n, n) }},
		{`[a-z]+(_[a-z]+)+`, func(r *rand.Rand) string {
			return letters(r, lower, 1, 3) + "_" + letters(r, lower, 1, 3) + strings.Repeat("_x", r.IntN(2))
		}, func(r *rand.Rand) string { return letters(r, lower, 1, 4) + "__" + letters(r, lower, 1, 3) }},
		{`(-?[1-9][0-9]*|0)(\.[0-9]+)?`, func(r *rand.Rand) string {
			return []string{"", "-"}[r.IntN(2)] + fmt.Sprint(1+r.IntN(900)) + []string{"", "." + letters(r, digits, 1, 2)}[r.IntN(2)]
		}, func(r *rand.Rand) string { return fmt.Sprint(1+r.IntN(900)) + "." }},
	}
}

// evenOnes is a string of 0 and 1 with an even number of ones, and rest more.
func evenOnes(r *rand.Rand, rest int) string {
	b := []byte(strings.Repeat("0", r.IntN(4)) + strings.Repeat("1", 2*r.IntN(3)+rest))
	r.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
	return string(b)
}

func (p regexSynth) Instance(seed, index uint64, s Setting) (Instance, error) {
	d, err := plainDifficulty(p.Name(), s)
	if err != nil {
		return Instance{}, err
	}
	rng := stream(p.Name(), p.Version(), seed, index)
	all := languages()
	l := all[rng.IntN(min(d+2, len(all)))]
	n := rising(4, 8, d)
	accept, reject := distinct(rng, 2*n, l.in), distinct(rng, 2*n, l.near)
	half := func(list []string) (seen, hidden []string) { return list[:len(list)/2], list[len(list)/2:] }
	acceptSeen, acceptHidden := half(accept)
	rejectSeen, rejectHidden := half(reject)
	longest := max(len(l.pattern)+8, 24)
	prompt := fmt.Sprintf("Write a regular expression of at most %d characters that matches each of these as a whole:\n%s\nand none of these:\n%s\nGive it behind ####.\nA:",
		longest, strings.Join(acceptSeen, "\n"), strings.Join(rejectSeen, "\n"))
	return Instance{
		ID: contentID(p.Name(), p.Version(), prompt), Prompt: prompt, Reference: l.pattern, Completion: " #### " + l.pattern, Spec: "regex_synth",
		Row:   jsonText(map[string]any{"accept": acceptSeen, "reject": rejectSeen, "hidden_accept": acceptHidden, "hidden_reject": rejectHidden, "max_length": longest}),
		Split: splitOf(p.Name() + ":" + strings.Join(slices.Sorted(slices.Values(append(slices.Clone(acceptSeen), rejectSeen...))), " ")), Difficulty: d,
	}, nil
}

// distinct draws up to n different strings; a small language has fewer.
func distinct(rng *rand.Rand, n int, draw func(*rand.Rand) string) []string {
	var out []string
	for range 20 * n {
		if s := draw(rng); !slices.Contains(out, s) {
			if out = append(out, s); len(out) == n {
				break
			}
		}
	}
	return out
}

// GuessRate is the share of the commonest language among those of the level: its pattern fits without a look.
func (p regexSynth) GuessRate(s Setting) (float64, error) {
	d, err := plainDifficulty(p.Name(), s)
	if err != nil {
		return 0, err
	}
	return 1 / float64(min(d+2, len(languages()))), nil
}

// Degenerate answers match everything, nothing, or a list of what is visible.
func (regexSynth) Degenerate(i Instance) []string {
	return []string{"", " ", i.Prompt, " #### ", " #### .*", " #### .+", " #### [^a]?", " #### (", " #### $^", " #### " + strings.Repeat("(", 40) + "x" + strings.Repeat(")", 40), " #### x{1000}"}
}
