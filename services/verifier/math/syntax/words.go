package syntax

import (
	"math/big"
	"strings"
)

// cardinal are the number words below a hundred, and scales those that multiply.
var cardinal = map[string]int64{
	"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
	"eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18,
	"nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}

var scales = map[string]int64{
	"hundred": 100, "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000, "trillion": 1_000_000_000_000, "dozen": 12,
}

var parts = map[string]int64{
	"half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fourth": 4, "fourths": 4, "fifth": 5, "fifths": 5,
	"sixth": 6, "sixths": 6, "seventh": 7, "sevenths": 7, "eighth": 8, "eighths": 8, "ninth": 9, "ninths": 9, "tenth": 10, "tenths": 10,
}

// numberWords reads words as a number: forty-two, one hundred and five, two thirds, minus seven. All words must take
// part: "one of them" is no number.
func numberWords(words []string) (*big.Rat, bool) {
	negative := false
	if len(words) > 1 && (words[0] == "minus" || words[0] == "negative") {
		negative, words = true, words[1:]
	}
	if len(words) == 0 || len(words) > 24 {
		return nil, false
	}
	v, ok := fractionWords(words)
	if !ok {
		var n int64
		n, ok = integerWords(words)
		v = new(big.Rat).SetInt64(n)
	}
	if ok && negative {
		v.Neg(v)
	}
	return v, ok
}

// fractionWords reads one half, two thirds, three and a half.
func fractionWords(words []string) (*big.Rat, bool) {
	last := len(words) - 1
	if last == 0 { // "third" alone is an ordinal
		return big.NewRat(1, 2), words[0] == "half"
	}
	denominator, ok := parts[words[last]]
	if !ok {
		return nil, false
	}
	head := words[:last]
	if len(head) == 1 && head[0] == "a" {
		return big.NewRat(1, denominator), true
	}
	if n := len(head); n >= 3 && head[n-2] == "and" && (head[n-1] == "a" || head[n-1] == "one") {
		whole, ok := integerWords(head[:n-2])
		v := new(big.Rat).SetInt64(whole)
		return v.Add(v, big.NewRat(1, denominator)), ok
	}
	n, ok := integerWords(head)
	return big.NewRat(n, denominator), ok && len(head) > 0
}

// integerWords adds up groups: below a hundred, times hundred, times thousand and up, in falling order.
func integerWords(words []string) (int64, bool) {
	var total, group, last int64 = 0, 0, 1 << 62
	seen := false
	for i, w := range words {
		if w == "and" {
			if !seen || i == len(words)-1 {
				return 0, false
			}
			continue
		}
		if w == "a" && i == 0 && len(words) > 1 {
			group, seen = 1, true
			continue
		}
		if v, ok := cardinal[w]; ok {
			// twenty one, but not one twenty or seven seven
			if seen && group%100 != 0 && (group%10 != 0 || v >= 10 || group%100 < 20) {
				return 0, false
			}
			group += v
			seen = true
			continue
		}
		scale, ok := scales[w]
		switch {
		case !ok || !seen || group == 0:
			return 0, false
		case scale < 1000:
			if group >= 100 {
				return 0, false
			}
			group *= scale
		case scale >= last:
			return 0, false
		default:
			total += group * scale
			group, last = 0, scale
		}
	}
	return total + group, seen
}

// splitWords cuts a text into lower-case words, at hyphens too: forty-two. ok is false where something else occurs, or
// where a hyphen may be a minus, as in x-y.
func splitWords(s string) (words []string, ok bool) {
	for part := range strings.FieldsSeq(strings.ToLower(s)) {
		hyphened := strings.Contains(part, "-")
		for w := range strings.SplitSeq(part, "-") {
			if w == "" || hyphened && len(w) < 3 {
				return nil, false
			}
			for _, r := range w {
				if r < 'a' || r > 'z' {
					return nil, false
				}
			}
			words = append(words, w)
		}
	}
	return words, len(words) > 0
}

// prose are short words that occur in sentences. Read as products of symbols they would make sense of nonsense.
var prose = map[string]bool{
	"the": true, "and": true, "for": true, "was": true, "is": true, "it": true, "of": true, "to": true, "so": true, "we": true, "an": true,
	"as": true, "be": true, "by": true, "or": true, "if": true, "on": true, "no": true, "are": true, "has": true, "all": true, "get": true,
	"can": true, "not": true, "let": true, "you": true, "our": true, "do": true, "did": true, "its": true, "but": true, "one": true,
	"two": true, "six": true, "ten": true, "at": true, "any": true, "now": true, "he": true, "she": true, "per": true, "sum": true,
	"yes": true, "odd": true, "put": true, "use": true, "see": true, "hence": true, "thus": true, "they": true, "than": true, "with": true,
	"from": true, "that": true, "this": true, "there": true, "then": true, "been": true, "when": true, "does": true, "out": true, "up": true,
	"my": true, "me": true, "us": true, "go": true, "how": true, "who": true, "why": true, "may": true, "had": true, "her": true, "his": true,
}

// operators are words that change a value: a number before one of them is not the answer.
var operators = map[string]bool{
	"times": true, "plus": true, "minus": true, "over": true, "divided": true, "squared": true, "cubed": true, "half": true, "third": true,
	"to": true, "than": true, "of": true, "is": true, "not": true, "or": true, "and": true, "more": true, "less": true, "if": true,
	"mod": true, "modulo": true, "choose": true, "factorial": true, "power": true, "because": true, "but": true, "equals": true, "are": true,
	"was": true, "so": true, "we": true, "the": true, "a": true, "an": true, "minutes'": true, "root": true, "remainder": true, "between": true,
	"until": true, "through": true, "from": true, "at": true, "least": true, "most": true, "hundred": true, "thousand": true, "million": true,
	"billion": true, "trillion": true, "dozen": true, "zero": true, "one": true, "two": true, "three": true, "point": true, "negative": true,
	"with": true, "without": true, "base": true, "which": true, "that": true, "this": true, "it": true, "when": true, "for": true, "then": true,
	"wrong": true, "incorrect": true, "false": true, "no": true, "never": true, "cannot": true, "isn't": true,
}
