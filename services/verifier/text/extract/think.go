package extract

import "strings"

// Answer cuts the reasoning: what stands before the last </think>, and what stands behind a <think> that nothing closes.
// It also gives the offset of the rest.
func Answer(s string) (string, int) {
	start := 0
	if i := strings.LastIndex(s, "</think>"); i >= 0 {
		start = i + len("</think>")
	}
	rest := s[start:]
	if i := strings.Index(rest, "<think>"); i >= 0 {
		rest = rest[:i]
	}
	// Chat templates end a turn with <|im_end|> and the like; nothing behind it was meant as an answer.
	if i := strings.Index(rest, "<|"); i >= 0 && (strings.HasPrefix(rest[i:], "<|im_") || strings.HasPrefix(rest[i:], "<|eot") ||
		strings.HasPrefix(rest[i:], "<|end")) {
		rest = rest[:i]
	}
	return rest, start
}
