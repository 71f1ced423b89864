package extract

import "strings"

// Found is what a profile finds in a response.
type Found struct {
	// BoxedFirst puts boxes before any anchor in GroupBoxed.
	BoxedFirst bool

	text    string // without the reasoning
	offset  int
	profile Profile
	boxes   Boxes
}

// In looks at a response. It finds the boxes at once and everything else when Each asks for it.
func In(response string, p Profile) Found {
	text, offset := Answer(response)
	f := Found{text: text, offset: offset, profile: p}
	if p != Whole {
		f.boxes = FindBoxes(text, offset)
	}
	return f
}

// Boxes are the boxes of the response.
func (f *Found) Boxes() Boxes { return f.boxes }

// MultipleBoxes says whether two boxes hold different texts.
func (f *Found) MultipleBoxes() bool {
	for i := 1; i < len(f.boxes.Pieces); i++ {
		if strings.TrimSpace(f.boxes.Pieces[i].Text) != strings.TrimSpace(f.boxes.Pieces[0].Text) {
			return true
		}
	}
	return false
}

// Each yields the places in the order in which they count, until yield says false. A piece may be empty where a box is:
// an empty last box is no answer, and nothing after it counts.
func (f *Found) Each(yield func(Piece) bool) {
	switch f.profile {
	case FinalAnswer:
		f.finalAnswer(yield)
	case GroupBoxed:
		f.grouped(yield)
	case Whole:
		f.whole(yield)
	default:
		f.lastBoxed(yield)
	}
}

func (f *Found) piece(from, to int, source Source) Piece {
	for from < to && isSpace(f.text[from]) {
		from++
	}
	for to > from && isSpace(f.text[to-1]) {
		to--
	}
	return Piece{Text: f.text[from:to], Source: source, Start: f.offset + from, End: f.offset + to}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func (f *Found) whole(yield func(Piece) bool) {
	if p := f.piece(0, len(f.text), Full); p.Text != "" {
		yield(p)
	}
}

func (f *Found) lastBoxed(yield func(Piece) bool) {
	if n := len(f.boxes.Pieces); n > 0 {
		last := f.boxes.Pieces[n-1]
		if !yield(last) || strings.TrimSpace(last.Text) == "" {
			return
		}
	}
	if !f.anchored(lastAnchor(lower(f.text), func(*anchor) bool { return true }), yield) {
		return
	}
	full := f.piece(0, len(f.text), Full)
	if full.Text == "" {
		return
	}
	if len(full.Text) <= maxShort && !strings.Contains(full.Text, "\n") && !yield(full) {
		return
	}
	math := FindDelimited(f.text, f.offset)
	if len(math) > 0 && !yield(math[len(math)-1]) {
		return
	}
	if len(full.Text) <= MaxCandidate && !yield(full) {
		return
	}
	if line := f.lastLine(); line.Text != "" && line.Text != full.Text && len(line.Text) <= MaxCandidate && !yield(line) {
		return
	}
	if p, ok := lastNumber(f.text, f.offset); ok {
		yield(p)
	}
}

func (f *Found) lastLine() Piece {
	end := len(strings.TrimRight(f.text, " \t\r\n"))
	return f.piece(strings.LastIndexByte(f.text[:end], '\n')+1, end, Line)
}

// anchored yields what stands behind an anchor at the place given: the sentence as it is, its last delimited math, and
// the number that it begins with. It says whether to go on.
func (f *Found) anchored(at int, yield func(Piece) bool) bool {
	if at < 0 {
		return true
	}
	from, to := behind(f.text, at)
	if to-from > MaxCandidate {
		to = from + MaxCandidate
	}
	text := sentence(f.text[from:to])
	if text == "" {
		return true
	}
	lead := strings.Index(f.text[from:to], text)
	start := from + max(lead, 0)
	p := Piece{Text: text, Source: Anchor, Start: f.offset + start, End: f.offset + start + len(text)}
	if !yield(p) {
		return false
	}
	math := FindDelimited(text, p.Start)
	if len(math) > 0 {
		m := math[len(math)-1]
		m.Source = Anchor
		return yield(m)
	}
	if n := leadingNumber(text); n > 0 && n < len(text) && text[n] == ' ' {
		return yield(Piece{Text: text[:n], Source: Anchor, Start: p.Start, End: p.Start + n})
	}
	return true
}

func leadingNumber(s string) int {
	i := 0
	for i < len(s) && (s[i] == '-' || s[i] == '$') {
		i++
	}
	digits := i
	for i < len(s) && (isDigit(s[i]) || (s[i] == ',' || s[i] == '.') && i+1 < len(s) && isDigit(s[i+1])) {
		i++
	}
	if i == digits {
		return 0
	}
	if i < len(s) && s[i] == '%' {
		i++
	}
	return i
}

// finalAnswer takes what stands behind the last anchor that says so, else the last box. Whichever stands further right
// counts: a box within the anchored sentence is the answer of that sentence.
func (f *Found) finalAnswer(yield func(Piece) bool) {
	at := lastAnchor(lower(f.text), func(a *anchor) bool { return a.final })
	if n := len(f.boxes.Pieces); n > 0 {
		if last := f.boxes.Pieces[n-1]; at < 0 || last.Start-f.offset > at {
			yield(last)
			return
		}
	}
	if at < 0 {
		return
	}
	from, to := behind(f.text, at)
	text := sentence(f.text[from:min(to, from+MaxCandidate)])
	if text == "" {
		return
	}
	start := f.offset + from + max(0, strings.Index(f.text[from:to], text))
	if !yield(Piece{Text: text, Source: Anchor, Start: start, End: start + len(text)}) {
		return
	}
	// One formula within the sentence is what it states; of several none is the answer.
	if math := FindDelimited(text, start); len(math) == 1 {
		math[0].Source = Anchor
		yield(math[0])
	}
}
