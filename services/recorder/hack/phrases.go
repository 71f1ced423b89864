package hack

import "strings"

// phrases finds the first of many lower-case texts in one pass: a bit for each three letters that one of them starts with
// says where it is worth to compare.
type phrases struct {
	starts [1 << 15 / 64]uint64
	list   []string
}

func newPhrases(list ...string) *phrases {
	p := &phrases{list: list}
	for _, w := range list {
		k := threeLetters(w)
		p.starts[k/64] |= 1 << (k % 64)
	}
	return p
}

// threeLetters is the same for both cases of a letter: they differ in bit 5.
func threeLetters(s string) uint32 {
	return uint32(s[0]&31)<<10 | uint32(s[1]&31)<<5 | uint32(s[2]&31)
}

// find gives the first place of any, and which it is; -1 where there is none.
func (p *phrases) find(s string) (int, string) {
	if len(s) < 3 {
		return -1, ""
	}
	k := uint32(s[0]&31)<<5 | uint32(s[1]&31)
	for i := 2; i < len(s); i++ {
		k = (k<<5 | uint32(s[i]&31)) & (1<<15 - 1)
		if p.starts[k/64]&(1<<(k%64)) == 0 {
			continue
		}
		rest := s[i-2:]
		for _, w := range p.list {
			if len(w) <= len(rest) && rest[0]&31 == w[0]&31 && strings.EqualFold(rest[:len(w)], w) {
				return i - 2, w
			}
		}
	}
	return -1, ""
}
