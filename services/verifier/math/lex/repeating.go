package lex

import "strings"

// repeating reads \overline{36}, \bar{3}, \dot{3}, (3) and … behind a fraction, or right behind the point.
func repeating(frac, s string, hasPoint bool) (nonRepeating, repeat string, size int) {
	if !hasPoint { // s begins with the point
		if len(s) < 2 || s[1] != '\\' && s[1] != '(' {
			return frac, "", 0
		}
		_, repeat, n := repeating("", s[1:], true)
		if n == 0 {
			return frac, "", 0
		}
		return "", repeat, n + 1
	}
	for _, c := range [...]string{`\overline`, `\bar`, `\dot`} {
		if !strings.HasPrefix(s, c) {
			continue
		}
		inner, n := group(s[len(c):])
		if n == 0 || Digits(inner) != len(inner) || inner == "" {
			return frac, "", 0
		}
		n += len(c)
		if c == `\dot` { // 0.\dot1 42 \dot7: all between the dots repeats
			middle := Digits(s[n:])
			if rest := s[n+middle:]; strings.HasPrefix(rest, `\dot`) {
				if last, m := group(rest[len(`\dot`):]); m > 0 && Digits(last) == len(last) && last != "" {
					return frac, inner + s[n:n+middle] + last, n + middle + len(`\dot`) + m
				}
			}
		}
		return frac, inner, n
	}
	if strings.HasPrefix(s, "(") { // 0.1(6) as Russian books write it; nobody answers with a product like that
		n := Digits(s[1:])
		if n > 0 && strings.HasPrefix(s[1+n:], ")") {
			return frac, s[1 : 1+n], n + 2
		}
	}
	for _, dots := range [...]string{`\ldots`, `\dots`, `\cdots`, "..."} {
		if strings.HasPrefix(s, dots) {
			if head, block := period(frac); block != "" {
				return head, block, len(dots)
			}
		}
	}
	return frac, "", 0
}

// period finds what digits before an ellipsis repeat: one digit at least three times, or a longer block at least twice.
func period(frac string) (head, block string) {
	for size := 1; size <= len(frac)/2; size++ {
		times := 1
		block := frac[len(frac)-size:]
		for (times+1)*size <= len(frac) && frac[len(frac)-(times+1)*size:len(frac)-times*size] == block {
			times++
		}
		if times >= 3 || size > 1 && times >= 2 {
			return frac[:len(frac)-times*size], block
		}
	}
	return frac, ""
}

// group reads {…} or one character.
func group(s string) (inner string, size int) {
	if s == "" {
		return "", 0
	}
	if s[0] != '{' {
		return s[:1], 1
	}
	end := strings.IndexByte(s, '}')
	if end < 0 {
		return "", 0
	}
	return s[1:end], end + 1
}
