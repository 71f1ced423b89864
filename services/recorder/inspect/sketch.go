package inspect

import (
	"unicode"
	"unicode/utf8"
)

const (
	// Hashes is the size of a sketch: the standard error of a Jaccard index of 0.8 is 0.05.
	Hashes = 64
	gram   = 5
	// textMost bounds what is read of a text, in bytes: a template shows long before.
	textMost = 64 << 10
)

// Sketch is a text's minima under 64 hashes of its 5-grams of words. Two sketches agree in a share of places that
// estimates the Jaccard index of both sets of 5-grams.
//
// One hash a 5-gram serves for all 64: its first bits choose the place, and places that no 5-gram chose borrow from one
// that has a value, the same in every text (one permutation hashing with optimal densification, Shrivastava 2017). That
// is as exact as 64 hashes of each 5-gram, and costs one.
type Sketch [Hashes]uint32

// empty is a place that no 5-gram chose.
const empty = ^uint32(0)

// NewSketch reads a text. Words are runs of letters and digits without case, and every letter of a script that is written
// without spaces is one. ok is false for a text of fewer than 5 words: it has no 5-gram, and short answers are equal
// without being a template.
func NewSketch(text string) (s Sketch, ok bool) {
	for i := range s {
		s[i] = empty
	}
	if len(text) > textMost {
		text = text[:textMost]
	}
	var last [gram]uint64
	words := 0
	word := func(h uint64) {
		last[words%gram] = h
		if words++; words >= gram {
			s.add(&last, words)
			ok = true
		}
	}
	const offset, prime = 14695981039346656037, 1099511628211
	h, inside := uint64(offset), false
	for i := 0; i < len(text); {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		i += size
		alone := spaceless(r)
		if inside && (alone || !wordy(r)) {
			word(h)
			h, inside = offset, false
		}
		switch {
		case alone:
			word((offset ^ uint64(r)) * prime)
		case wordy(r):
			h, inside = (h^uint64(unicode.ToLower(r)))*prime, true
		}
	}
	if inside {
		word(h)
	}
	if ok {
		s.fill()
	}
	return s, ok
}

func wordy(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

// spaceless tells scripts that are written without spaces between words.
func spaceless(r rune) bool {
	return r >= 0x2e80 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) || r >= 0xe00 && unicode.In(r, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// add takes the 5-gram that ends at the newest word.
func (s *Sketch) add(last *[gram]uint64, words int) {
	h := uint64(0)
	for k := range gram {
		h = mix(h ^ last[(words+k)%gram]) // oldest first: the order of words counts
	}
	place, x := h>>58, min(uint32(h), empty-1)
	s[place] = min(s[place], x)
}

// fill gives every empty place the value of another one, chosen by the place alone. There is one with a value.
func (s *Sketch) fill() {
	own := *s
	for i := range s {
		for k := uint64(1); s[i] == empty; k++ {
			s[i] = own[mix(uint64(i)<<32|k)>>58]
		}
	}
}

// Jaccard estimates how much two texts have in common, 0 to 1.
func (s *Sketch) Jaccard(t *Sketch) float64 {
	n := 0
	for i := range s {
		if s[i] == t[i] {
			n++
		}
	}
	return float64(n) / Hashes
}
