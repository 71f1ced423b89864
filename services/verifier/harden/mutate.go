package harden

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
)

// near gives numbers that are close to a reference and are not it; none for a reference that is no number.
func near(reference string) []string {
	n, ok := new(big.Rat).SetString(strings.ReplaceAll(strings.TrimSpace(reference), ",", ""))
	if !ok || n.Num().BitLen() > 256 || n.Denom().BitLen() > 256 {
		return nil
	}
	var out []string
	for _, d := range []int64{-1, 1, 10} {
		m := new(big.Rat).Add(n, new(big.Rat).SetInt64(d))
		if m.Cmp(n) == 0 {
			continue
		}
		if m.IsInt() {
			out = append(out, m.Num().String())
		} else {
			out = append(out, m.RatString())
		}
	}
	if n.Sign() != 0 {
		out = append(out, new(big.Rat).Neg(n).RatString())
	}
	return out
}

// changed edits an answer so that it is another one: it changes, adds or drops a digit of the last number. ok is false
// where there is no number.
func changed(rng *rand.Rand, response string) (string, bool) {
	end := strings.LastIndexAny(response, "0123456789")
	if end < 0 {
		return "", false
	}
	start := end
	for start > 0 && response[start-1] >= '0' && response[start-1] <= '9' {
		start--
	}
	number := response[start : end+1]
	before, after := response[:start], response[end+1:]
	at := rng.IntN(len(number))
	switch rng.IntN(3) {
	case 0: // another digit, never one that only makes a leading zero of nothing
		d := byte('1' + rng.IntN(9))
		if number[at] == d {
			d = '1' + (d-'0')%9
		}
		return before + number[:at] + string(d) + number[at+1:] + after, true
	case 1:
		return before + number + string(rune('1'+rng.IntN(9))) + after, true
	}
	return before + fmt.Sprintf("%d", 1+rng.IntN(9)) + number + after, true
}

// benign edits what does not count: blanks and prose around, for any verifier that reads text.
func benign(rng *rand.Rand, response string) string {
	switch rng.IntN(4) {
	case 0:
		return "\n\n" + response
	case 1:
		return response + "\n"
	case 2:
		return "  " + response + "  "
	}
	return response + "\n\n\n"
}

// edges are inputs that break readers: each must give a verdict, and none may pass.
func edges() map[string]string {
	return map[string]string{
		"empty": "", "blanks": " \t\r\n ", "NUL": "\x00", "not UTF-8": "\xff\xfe\xfd", "a lone surrogate": "\xed\xa0\x80",
		"100,000 brackets": strings.Repeat("[", 100_000), "100,000 braces": strings.Repeat("{", 100_000), "unclosed box": `\boxed{` + strings.Repeat("{", 1000),
		"a number of 5,000 digits": strings.Repeat("9", 5000), "a tower": "9^{9^{9^{9^9}}}", "NaN": "NaN", "infinity": `\infty`, "50 boxes": strings.Repeat(`\boxed{}`, 50),
		"256 KiB of text": strings.Repeat("a ", 128<<10), "an open fence": "```python\n", "only reasoning": "<think>" + strings.Repeat("x", 1000),
	}
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x6861726465)) }
