package hack

import "strings"

const (
	phraseStart = 5  // letters of a start; no phrase is shorter
	startBits   = 13 // of a start's place in the table
)

// phrases finds the first of many lower-case texts in one pass: a bit for each five letters that one of them starts with
// says where it is worth to compare.
type phrases struct {
	starts [1 << startBits / 64]uint64
	list   []string
}

func newPhrases(list ...string) *phrases {
	p := &phrases{list: list}
	for _, w := range list {
		k := uint32(0)
		for i := range phraseStart {
			k = nextLetter(k, w[i])
		}
		at := place(k)
		p.starts[at/64] |= 1 << (at % 64)
	}
	return p
}

// nextLetter adds a letter to the last five. Both cases of one are the same: they differ in bit 5.
func nextLetter(k uint32, c byte) uint32 { return (k<<5 | uint32(c&31)) & (1<<(5*phraseStart) - 1) }

func place(k uint32) uint32 { return k * 2654435769 >> (32 - startBits) }

// find gives the first place of any, and which it is; -1 where there is none.
func (p *phrases) find(s string) (int, string) {
	k := uint32(0)
	for i := range len(s) {
		k = nextLetter(k, s[i])
		at := place(k)
		if p.starts[at/64]&(1<<(at%64)) == 0 || i < phraseStart-1 {
			continue
		}
		rest := s[i-(phraseStart-1):]
		for _, w := range p.list {
			if len(w) <= len(rest) && rest[0]&31 == w[0]&31 && strings.EqualFold(rest[:len(w)], w) {
				return i - (phraseStart - 1), w
			}
		}
	}
	return -1, ""
}
