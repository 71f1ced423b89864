package token

import (
	"unicode"
	"unicode/utf8"
)

// split cuts text into pieces whose concatenation is the text.
type split func(text []byte) [][]byte

// The patterns of three families. Go's regexp has no look-ahead, so that what they match is written out below; a file
// with another pattern is refused.
const (
	patternGPT2   = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	patternLlama3 = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	patternQwen2  = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// splits finds the splitter of a pattern; nil for an unknown one.
func splits(pattern string) split {
	switch pattern {
	case patternGPT2:
		return repeat(matchGPT2)
	case patternLlama3:
		return repeat(func(b []byte) int { return matchLlama(b, 3) })
	case patternQwen2:
		return repeat(func(b []byte) int { return matchLlama(b, 1) })
	}
	return nil
}

func repeat(match func(b []byte) int) split {
	return func(text []byte) (out [][]byte) {
		for len(text) > 0 {
			n := match(text)
			out, text = append(out, text[:n]), text[n:]
		}
		return out
	}
}

// class is what the patterns distinguish. An invalid byte is "other", one byte long.
type class int

const (
	other class = iota
	letter
	number
	space
)

func classAt(b []byte) (class, rune, int) {
	r, n := utf8.DecodeRune(b)
	switch {
	case n == 0 || (r == utf8.RuneError && n == 1):
		return other, r, n
	case unicode.IsLetter(r):
		return letter, r, n
	case unicode.IsNumber(r):
		return number, r, n
	case unicode.IsSpace(r):
		return space, r, n
	}
	return other, r, n
}

// run is the length of the leading characters of a class, at most limit of them (0: no limit).
func run(b []byte, want class, limit int) int {
	at := 0
	for k := 0; at < len(b) && (limit == 0 || k < limit); k++ {
		c, _, n := classAt(b[at:])
		if c != want {
			break
		}
		at += n
	}
	return at
}

// contraction is the length of 's, 't, 're, 've, 'm, 'll or 'd.
func contraction(b []byte, fold bool) int {
	if len(b) < 2 || b[0] != '\'' {
		return 0
	}
	for _, s := range []string{"s", "t", "re", "ve", "m", "ll", "d"} {
		if n := prefix(b[1:], s, fold); n > 0 {
			return 1 + n
		}
	}
	return 0
}

// prefix is how many bytes of b spell s, in any case if fold is set (ſ folds to s).
func prefix(b []byte, s string, fold bool) int {
	at := 0
	for _, want := range s {
		r, n := utf8.DecodeRune(b[at:])
		if r != want && !(fold && (unicode.ToLower(r) == want || unicode.SimpleFold(r) == want || unicode.SimpleFold(want) == r)) {
			return 0
		}
		at += n
	}
	return at
}

// blank is the length of leading white space as \s+(?!\S)|\s+ takes it: all of it at the end of the text, else all but
// the last character, which goes to what follows; a single one is taken.
func blank(b []byte) int {
	n := run(b, space, 0)
	if n == len(b) {
		return n
	}
	if _, last := utf8.DecodeLastRune(b[:n]); n > last {
		return n - last
	}
	return n
}

func matchGPT2(b []byte) int {
	if n := contraction(b, false); n > 0 {
		return n
	}
	lead := 0
	if b[0] == ' ' {
		lead = 1
	}
	if c, _, _ := classAt(b[lead:]); lead < len(b) && c != space {
		return lead + run(b[lead:], c, 0)
	}
	return blank(b)
}

// matchLlama is the pattern of Llama 3 and Qwen 2, which differ in how many digits stay together.
func matchLlama(b []byte, digits int) int {
	if n := contraction(b, true); n > 0 {
		return n
	}
	c, r, n := classAt(b)
	switch {
	case c == letter:
		return run(b, letter, 0)
	case c != number && r != '\r' && r != '\n': // one such character may lead a word
		if w := run(b[n:], letter, 0); w > 0 {
			return n + w
		}
	}
	if c == number {
		return run(b, number, digits)
	}
	lead := 0
	if b[0] == ' ' {
		lead = 1
	}
	if w := run(b[lead:], other, 0); w > 0 {
		at := lead + w
		for at < len(b) && (b[at] == '\r' || b[at] == '\n') {
			at++
		}
		return at
	}
	if w := run(b, space, 0); w > 0 { // \s*[\r\n]+ reaches to the last line end of the white space
		for at := w; at > 0; at-- {
			if b[at-1] == '\r' || b[at-1] == '\n' {
				return at
			}
		}
	}
	return blank(b)
}

// digits cuts numbers out, one by one or in runs.
func digits(individual bool) split {
	limit := 0
	if individual {
		limit = 1
	}
	return func(text []byte) (out [][]byte) {
		from := 0
		for at := 0; at < len(text); {
			c, _, n := classAt(text[at:])
			if c != number {
				at += n
				continue
			}
			if at > from {
				out = append(out, text[from:at])
			}
			w := run(text[at:], number, limit)
			out = append(out, text[at:at+w])
			at += w
			from = at
		}
		if from < len(text) {
			out = append(out, text[from:])
		}
		return out
	}
}
