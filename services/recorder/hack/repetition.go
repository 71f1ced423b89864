package hack

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/klauspost/compress/flate"
)

// Limits of recorder.md 4.7.
const (
	ratioMax   = 0.1 // deflated to plain
	leastBytes = 400
	repeatMax  = 0.5 // share of 4-grams that came before
	leastGrams = 40
	nearLines  = 12 // lines in a row that differ in numbers only
)

// repetition finds text that says the same again and again. Tables, lists and code repeat by nature and are taken out.
func (in *Inspector) repetition(s string, say sayer) {
	if len(s) < leastBytes {
		return
	}
	if start, end, n := nearEqual(s); n >= nearLines {
		say(DegenerateRepetition, Warn, start, end, fmt.Sprintf("%d lines in a row differ in numbers only", n))
		return
	}
	if bytesRepeated(s) < 0.75 { // cheap, and true of nearly every text; what passes the limits below repeats far more
		return
	}
	prose := proseOf(s)
	if len(prose) < leastBytes {
		return
	}
	points := repeated(pointsOf(prose))
	words := repeated(wordsOf(prose))
	ratio := in.deflated(prose)
	if ratio < ratioMax || points > repeatMax && words > repeatMax && points > 0.8 {
		say(DegenerateRepetition, Warn, strings.Index(s, firstLine(prose)), len(s), fmt.Sprintf("it deflates to %.1f %%; %.0f %% of its 4-grams came before", 100*ratio, 100*points))
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// bytesRepeated is the share of 4-byte pieces that came before, after a filter with few false hits for short texts.
func bytesRepeated(s string) float64 {
	const bits = 16
	var seen [1 << bits / 64]uint64
	again := 0
	h := uint32(0)
	for i := range len(s) {
		h = h<<8 | uint32(s[i])
		if i < 3 {
			continue
		}
		k := h * 2654435761 >> (32 - bits)
		if seen[k/64]&(1<<(k%64)) != 0 {
			again++
		}
		seen[k/64] |= 1 << (k % 64)
	}
	return float64(again) / float64(len(s)-3)
}

func proseOf(s string) string {
	var b strings.Builder
	fenced := false
	for line := range strings.Lines(s) {
		t := strings.TrimLeft(line, " \t")
		if strings.HasPrefix(t, "```") {
			fenced = !fenced
			continue
		}
		item := strings.HasPrefix(t, "|") || strings.HasPrefix(t, "- ") || strings.HasPrefix(t, "* ") || strings.HasPrefix(t, "+-") || numbered(t)
		if fenced || item || strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "\t") {
			continue
		}
		b.WriteString(line)
	}
	return b.String()
}

func numbered(t string) bool {
	i := 0
	for i < len(t) && t[i] >= '0' && t[i] <= '9' {
		i++
	}
	return i > 0 && i < len(t) && (t[i] == '.' || t[i] == ')')
}

func hash(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

func wordsOf(s string) []uint64 {
	var out []uint64
	for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		out = append(out, hash(14695981039346656037, w))
	}
	if len(out) < leastGrams { // a script without blanks: its words are not told apart, code points speak for them
		return pointsOf(s)
	}
	return out
}

func pointsOf(s string) []uint64 {
	out := make([]uint64, 0, len(s))
	for _, r := range s {
		out = append(out, uint64(r))
	}
	return out
}

// repeated is the share of 4-grams that came before.
func repeated(units []uint64) float64 {
	if len(units) < leastGrams {
		return 0
	}
	seen := make(map[[4]uint64]bool, len(units))
	again := 0
	for i := 3; i < len(units); i++ {
		k := [4]uint64(units[i-3 : i+1])
		if seen[k] {
			again++
		}
		seen[k] = true
	}
	return float64(again) / float64(len(units)-3)
}

type counter int

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }

// deflated is the share of its bytes that a text deflates to. The writer's tables are large and are kept.
func (in *Inspector) deflated(s string) float64 {
	var n counter
	if in.flate == nil {
		w, err := flate.NewWriter(&n, 6)
		if err != nil { // the level is a constant
			return 1
		}
		in.flate = w
	}
	in.flate.Reset(&n)
	if _, err := in.flate.Write([]byte(s)); err != nil || in.flate.Close() != nil { // a counter takes everything
		return 1
	}
	return float64(n) / float64(len(s))
}

// nearEqual finds the longest run of lines that are equal once their numbers are gone.
func nearEqual(s string) (start, end, n int) {
	from, run, at := 0, 0, 0
	fenced := false
	last := ""
	for line := range strings.Lines(s) {
		t := strings.TrimSpace(line)
		skip := strings.HasPrefix(t, "|") || numbered(t) || len(t) < 8
		if strings.HasPrefix(t, "```") {
			fenced = !fenced
		}
		switch {
		case skip || fenced:
			run = 0
		case run > 0 && equalButNumbers(t, last):
			if run++; run > n {
				start, end, n = from, at+len(line), run
			}
		case hasLetters(t):
			from, run = at, 1
		default:
			run = 0
		}
		last = t
		at += len(line)
	}
	return start, end, n
}

// equalButNumbers compares what is left of two lines without their digits. Most lines differ in the first letter.
func equalButNumbers(a, b string) bool {
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	for i, j := 0, 0; ; i, j = i+1, j+1 {
		for i < len(a) && digit(a[i]) {
			i++
		}
		for j < len(b) && digit(b[j]) {
			j++
		}
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if a[i] != b[j] {
			return false
		}
	}
}

func hasLetters(t string) bool {
	for i := range len(t) {
		if t[i]|0x20 >= 'a' && t[i]|0x20 <= 'z' || t[i] >= 0x80 {
			return true
		}
	}
	return false
}
