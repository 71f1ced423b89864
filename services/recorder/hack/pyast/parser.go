package pyast

import "github.com/provenir/provenir/services/recorder/hack/pytok"

const (
	maxDepth = 150 // of expressions and of blocks: a stack is not endless
	slabSize = 128
)

// Parser reads sources one after the other and keeps its memory. A tree lives until the next Parse. It is not safe for
// concurrent use.
type Parser struct {
	src     string
	toks    []pytok.Token
	i       int
	depth   int
	failed  bool
	slabs   [][]Node
	slab    int
	links   []*Node // memory of lists
	scratch []*Node // of lists under way
	m       Module
}

// Parse reads a source.
func (p *Parser) Parse(src string) *Module {
	p.src, p.toks, p.i, p.depth, p.failed, p.slab = src, pytok.Append(p.toks[:0], src), 0, 0, false, 0
	for i := range p.slabs {
		p.slabs[i] = p.slabs[i][:0]
	}
	p.links, p.scratch = p.links[:0], p.scratch[:0]
	p.m = Module{Src: src}
	p.m.Body = p.statements(pytok.End)
	return &p.m
}

func (p *Parser) node(k Kind) *Node {
	for {
		if p.slab == len(p.slabs) {
			p.slabs = append(p.slabs, make([]Node, 0, slabSize))
		}
		s := p.slabs[p.slab]
		if len(s) < cap(s) {
			s = append(s, Node{Kind: k, Start: p.tok().Start, End: p.tok().End})
			p.slabs[p.slab] = s
			return &s[len(s)-1]
		}
		p.slab++
	}
}

// list moves what was gathered behind mark into memory of its own. A grown arena leaves older lists where they are.
func (p *Parser) list(mark int) []*Node {
	n := len(p.scratch) - mark
	if n == 0 {
		return nil
	}
	from := len(p.links)
	p.links = append(p.links, p.scratch[mark:]...)
	p.scratch = p.scratch[:mark]
	return p.links[from : from+n : from+n]
}

func (p *Parser) push(n *Node) { p.scratch = append(p.scratch, n) }

func (p *Parser) kids(of *Node, kids ...*Node) *Node {
	mark := len(p.scratch)
	p.scratch = append(p.scratch, kids...)
	of.Kids = p.list(mark)
	for _, k := range of.Kids {
		of.Start, of.End = min(of.Start, k.Start), max(of.End, k.End)
	}
	return of
}

func (p *Parser) tok() pytok.Token { return p.toks[min(p.i, len(p.toks)-1)] }

func (p *Parser) text() string { return p.tok().Text(p.src) }

func (p *Parser) next() { p.i = min(p.i+1, len(p.toks)-1) }

// last is the end of the token before.
func (p *Parser) last() int32 {
	if p.i == 0 {
		return 0
	}
	return p.toks[p.i-1].End
}

// is says whether the token is that operator or word.
func (p *Parser) is(s string) bool {
	t := p.tok()
	return (t.Kind == pytok.Op || t.Kind == pytok.Name) && int(t.End-t.Start) == len(s) && p.src[t.Start:t.End] == s
}

func (p *Parser) accept(s string) bool {
	if p.is(s) {
		p.next()
		return true
	}
	return false
}

func (p *Parser) expect(s string) {
	if !p.accept(s) {
		p.failed = true
	}
}

func (p *Parser) fail() *Node {
	p.failed = true
	return p.node(Opaque)
}

func keyword(s string) bool {
	switch s {
	case "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
		"finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
		"with", "yield":
		return true
	}
	return false
}

// identifier takes a name that is no keyword.
func (p *Parser) identifier() string {
	if p.tok().Kind != pytok.Name || keyword(p.text()) {
		p.failed = true
		return ""
	}
	s := p.text()
	p.next()
	return s
}
