package token

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// What the published patterns match, piece by piece. The cases were worked out from the patterns' alternatives by hand.
func TestSplits(t *testing.T) {
	for _, c := range []struct{ pattern, text, want string }{
		{patternGPT2, "Hello world", "Hello| world"},
		{patternGPT2, "it's we'll I'M", "it|'s| we|'ll| I|'|M"},
		{patternGPT2, "a1234 55", "a|1234| 55"},
		{patternGPT2, "x  y", "x| | y"},
		{patternGPT2, "x\n\ny  ", "x|\n|\n|y|  "},
		{patternGPT2, "!? ...a", "!?| ...|a"},
		{patternGPT2, " \t", " \t"},
		{patternLlama3, "Hello world", "Hello| world"},
		{patternLlama3, "it's we'LL I'M", "it|'s| we|'LL| I|'M"},
		{patternLlama3, "a1234567 55", "a|123|456|7| |55"},
		{patternLlama3, "x\n\n y", "x|\n\n| y"},
		{patternLlama3, "x \n  \n   y", "x| \n  \n|  | y"},
		{patternLlama3, "(foo).bar\n", "(foo|).|bar|\n"},
		{patternLlama3, "end.\n\nNext", "end|.\n\n|Next"},
		{patternLlama3, "\tfoo", "\tfoo"},
		{patternLlama3, "  foo", " | foo"},
		{patternLlama3, "Привет, мир", "Привет|,| мир"},
		{patternLlama3, "你好 3½", "你好| |3½"},
		{patternQwen2, "a123", "a|1|2|3"},
		{patternQwen2, "tail  ", "tail|  "},
	} {
		var got []string
		for _, p := range splits(c.pattern)([]byte(c.text)) {
			got = append(got, string(p))
		}
		if want := strings.Split(c.want, "|"); !slices.Equal(got, want) {
			t.Errorf("%q gives %q, want %q", c.text, got, want)
		}
	}
}

func TestDigits(t *testing.T) {
	for _, c := range []struct {
		individual bool
		want       string
	}{{true, "a|1|2|3| b"}, {false, "a|123| b"}} {
		var got []string
		for _, p := range digits(c.individual)([]byte("a123 b")) {
			got = append(got, string(p))
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("individual %v gives %q, want %s", c.individual, got, c.want)
		}
	}
}

// Whatever the bytes, the pieces are the text, and none is empty.
func FuzzSplits(f *testing.F) {
	f.Add([]byte("it's 12345 \n\n  \xff\xfe 你好'S"))
	f.Add([]byte(" \r\n\t "))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, s := range []split{splits(patternGPT2), splits(patternLlama3), splits(patternQwen2), digits(true), digits(false)} {
			pieces := s(text)
			if !bytes.Equal(bytes.Join(pieces, nil), text) {
				t.Fatalf("%q was cut into %q", text, pieces)
			}
			for _, p := range pieces {
				if len(p) == 0 {
					t.Fatalf("%q has an empty piece: %q", text, pieces)
				}
			}
		}
	})
}
