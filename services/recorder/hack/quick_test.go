package hack

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The one pass over a text finds what a search for each phrase finds.
func TestPhrasesFindTheFirst(t *testing.T) {
	p := newPhrases("as you rightly", "as you say", "[[10]]", "the answer key", "answer key is", "[[a]]")
	pieces := []string{"as you ", "AS YOU SAY", "rightly", "[[10]]", "[[", "a]]", "the answer", " key", " is", "x", "\n", "As You Rightly", "é", "the ", "{{10]]"}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12).Draw(t, "text"), "")
		want, phrase := -1, ""
	search:
		for i := range len(text) {
			for _, w := range p.list {
				if len(text)-i >= len(w) && strings.EqualFold(text[i:i+len(w)], w) {
					want, phrase = i, w
					break search
				}
			}
		}
		if at, got := p.find(text); at != want || got != phrase {
			t.Fatalf("%q: %q at %d, want %q at %d", text, got, at, phrase, want)
		}
	})
}

// Lines are near equal when nothing but their digits differs.
func TestNearEqualIsThatOfTheLinesWithoutDigits(t *testing.T) {
	lines := []string{"step 1 gives 20", "step 22 gives 3", "step gives ", "1234567890 12", "ä 1234567", "| a | 1 step |", "```", "1. step gives 9", "step 3 gives 4x", "  step 5 gives 6  "}
	rapid.Check(t, func(t *rapid.T) {
		drawn := rapid.SliceOfN(rapid.SampledFrom(lines), 0, 30).Draw(t, "lines")
		without := func(s string) string {
			return strings.Map(func(r rune) rune {
				if r >= '0' && r <= '9' {
					return -1
				}
				return r
			}, s)
		}
		longest, run, last, fenced := 0, 0, "", false
		for _, l := range drawn {
			l = strings.TrimSpace(l)
			fenced = fenced != strings.HasPrefix(l, "```")
			plain := without(l)
			switch {
			case fenced || strings.HasPrefix(l, "|") || numbered(l) || len(l) < 8 || !strings.ContainsAny(plain, "abcdefghijklmnopqrstuvwxyzä"):
				run = 0
			case run > 0 && plain == last:
				run++
				longest = max(longest, run)
			default:
				run = 1
			}
			last = plain
		}
		if _, _, n := nearEqual(strings.Join(drawn, "\n")); n != longest {
			t.Fatalf("%q: %d lines, want %d", drawn, n, longest)
		}
	})
}
