package extract

import (
	"slices"
	"strings"
)

// ranked is a place with its tier: lower tiers first, then the one that ends rightmost, then the longer one.
type ranked struct {
	Piece
	tier int
}

func (f *Found) grouped(yield func(Piece) bool) {
	low := lower(f.text)
	found := f.hoped(low, nil)
	found = f.groups(found)
	for i := range anchors {
		found = f.behindEach(low, &anchors[i], found)
	}
	math := FindDelimited(f.text, f.offset)
	for _, p := range math {
		found = append(found, ranked{p, 250})
	}
	if full := f.piece(0, len(f.text), Full); full.Text != "" && len(full.Text) <= maxShort && !strings.Contains(full.Text, "\n") {
		found = append(found, ranked{full, 240})
	}
	// Numbers only where there is no math at all: one taken from inside failed math is not what was answered.
	if len(math) == 0 && len(f.boxes.Pieces) == 0 {
		if p, ok := lastNumber(f.text, f.offset); ok {
			found = append(found, ranked{p, 300})
		}
	}
	slices.SortStableFunc(found, func(a, b ranked) int {
		if a.tier != b.tier {
			return a.tier - b.tier
		}
		if a.End != b.End {
			return b.End - a.End
		}
		return a.Start - b.Start
	})
	for _, r := range found {
		if !yield(r.Piece) {
			return
		}
	}
}

// hoped finds "final answer is X. I hope it is correct", the closing formula of the few-shot prompts for MATH.
func (f *Found) hoped(low string, found []ranked) []ranked {
	const opens, closes = "final answer is", "i hope it is correct"
	i := strings.LastIndex(low, closes)
	if i < 0 {
		return found
	}
	j := strings.LastIndex(low[:i], opens)
	if j < 0 || i-j > MaxCandidate {
		return found
	}
	text := strings.Trim(f.text[j+len(opens):i], " \t\r\n.:\"")
	if text == "" {
		return found
	}
	start := f.offset + j + len(opens) + strings.Index(f.text[j+len(opens):i], text)
	return append(found, ranked{Piece{Text: text, Source: Anchor, Start: start, End: start + len(text)}, 0})
}

// groups joins boxes that only a comma, "and" or "or" keeps apart: two boxed roots are one set.
func (f *Found) groups(found []ranked) []ranked {
	b := f.boxes.Pieces
	for i := 0; i < len(b); {
		text, j := b[i].Text, i+1
		for j < len(b) && joins(f.text[b[j-1].End-f.offset:b[j].Start-f.offset]) {
			text += ", " + b[j].Text
			j++
		}
		tier := 50
		if f.BoxedFirst {
			tier = 0
		}
		found = append(found, ranked{Piece{Text: text, Source: Box, Start: b[i].Start, End: b[j-1].End}, tier})
		i = j
	}
	return found
}

// joins looks at what stands between the contents of two boxes.
func joins(between string) bool {
	between = strings.TrimPrefix(between, "}")
	for _, drop := range []string{`\boxed`, `\fbox`, "boxed", "{", "$", `\text`, "}", `\quad`, `\ `, `\,`} {
		between = strings.ReplaceAll(between, drop, " ")
	}
	for word := range strings.FieldsSeq(between) {
		switch strings.ToLower(strings.Trim(word, ",;")) {
		case "", "and", "or":
		default:
			return false
		}
	}
	return strings.TrimSpace(between) != ""
}

func (f *Found) behindEach(low string, a *anchor, found []ranked) []ranked {
	for end := len(low); ; {
		j := strings.LastIndex(low[:end], a.text)
		if j < 0 || len(found) > 256 {
			return found
		}
		end = j
		if !stands(low, j, a) {
			continue
		}
		f.anchored(j+len(a.text), func(p Piece) bool {
			found = append(found, ranked{p, a.tier})
			return true
		})
	}
}
