package hack

import (
	"strings"

	"github.com/provenir/provenir/services/recorder/hack/pyast"
)

// site is where in the code a node stands.
type site struct {
	def     *pyast.Node // innermost function
	class   *pyast.Node
	main    bool // under if __name__ == "__main__", or in a function that is named as its entry
	test    bool // in a test
	cond    bool // under a condition or a handler
	handler bool
}

// reading is one piece under inspection.
type reading struct {
	*Inspector
	p     *piece
	m     *pyast.Module
	depth int  // of source inside strings
	tests int  // functions that really test
	suite bool // the file is a test suite
	stdin bool // the program reads its input
	inDef *pyast.Node

	// What the whole program holds, gathered once: to look for it at each place would cost the square of its size.
	forked int
	gives  map[string]bool        // classes whose instances are returned
	set    map[string]*pyast.Node // names of the module and what they were set to first
	roots  map[string]bool        // modules that were imported
}

// solution is the size in bytes up to which any function may be the one under test. In a larger program, which may be a
// library that walks frames for a living, only what is loaded or tested counts as definite.
const solution = 6000

func (in *Inspector) code(p *piece) {
	if p.lang == shellScript {
		in.shell(p, p.src, 0)
		return
	}
	r := &reading{Inspector: in, p: p, m: in.parser.Parse(p.src)}
	r.read()
}

func (r *reading) read() {
	r.bind(r.m.Body)
	r.suite = testFile(r.p.path)
	r.gives, r.set, r.roots = map[string]bool{}, map[string]*pyast.Node{}, map[string]bool{}
	for _, to := range r.names {
		root, _, _ := strings.Cut(to, ".")
		r.roots[root] = true
	}
	for _, n := range r.m.Body {
		if n.Kind == pyast.Assign && n.Kids[0].Kind == pyast.Name && r.set[n.Kids[0].Text] == nil {
			r.set[n.Kids[0].Text] = n.Kids[len(n.Kids)-1]
		}
		pyast.Walk(n, func(n *pyast.Node) bool {
			switch {
			case n.Kind == pyast.Return && len(n.Kids) > 0 && n.Kids[0].Kind == pyast.Call && n.Kids[0].Kids[0].Kind == pyast.Name:
				r.gives[n.Kids[0].Kids[0].Text] = true
			case n.Kind == pyast.Call && r.resolve(n.Kids[0]) == "os.fork":
				r.forked++
			case n.Kind == pyast.Def && isTest(n.Text) && realTest(n):
				r.tests++
			case n.Kind == pyast.Call && (n.Kids[0].Text == "input" || n.Kids[0].Kind == pyast.Attr && strings.HasPrefix(r.resolve(n.Kids[0]), "sys.stdin")),
				n.Kind == pyast.Attr && n.Text == "stdin":
				r.stdin = true
			}
			return true
		})
	}
	r.suite = r.suite || r.tests > 0
	r.block(r.m.Body, site{})
	r.wholePrograms()
}

func (r *reading) block(list []*pyast.Node, at site) {
	for _, n := range list {
		r.visit(n, at)
	}
}

// visit looks at a node with its place, and goes on below it.
func (r *reading) visit(n *pyast.Node, at site) {
	switch n.Kind {
	case pyast.Def:
		r.definition(n, at)
		return
	case pyast.Class:
		r.comparisonClass(n)
		at.class, at.test = n, at.test || r.suite && strings.HasPrefix(n.Text, "Test")
	case pyast.If, pyast.While, pyast.For, pyast.Match:
		if mainGuard(n) {
			at.main = true
		}
		if n.Kind == pyast.While {
			r.stall(n, at)
		}
		r.each(n.Kids, at)
		at.cond = true
		r.block(n.Body, at)
		r.block(n.Else, at)
		return
	case pyast.Try, pyast.Except:
		at.cond = at.cond || n.Kind == pyast.Except
		at.handler = at.handler || n.Kind == pyast.Except && n.Text == "except"
	case pyast.Raise:
		r.raised(n, at)
	case pyast.Assert:
		r.emptyAssert(n, at)
	case pyast.Assign:
		r.assigned(n, at)
	case pyast.Call:
		r.called(n, at)
	case pyast.Attr:
		r.frames(n, at)
	}
	for _, d := range n.Decorators {
		r.decorated(d, at)
	}
	r.each(n.Kids, at)
	r.block(n.Body, at)
	r.block(n.Else, at)
}

func (r *reading) each(list []*pyast.Node, at site) {
	for _, n := range list {
		r.visit(n, at)
	}
}

func (r *reading) definition(n *pyast.Node, at site) {
	for _, d := range n.Decorators {
		r.decorated(d, at)
		r.visit(d, at)
	}
	r.each(n.Kids, at)
	inner := at
	inner.def, inner.cond, inner.handler = n, false, false
	inner.test = at.test || r.suite && isTest(n.Text)
	inner.main = at.main || entryName(n.Text)
	outer := r.inDef
	r.inDef = n
	defer func() { r.inDef = outer }()
	r.emptyTest(n)
	r.fixture(n, inner)
	r.cases(n)
	r.constantBody(n)
	r.block(n.Body, inner)
}

// called sends a call to the kinds that know its name.
func (r *reading) called(n *pyast.Node, at site) {
	name := r.resolve(n.Kids[0])
	if name == "" {
		name = method(n)
	}
	if f := n.Kids[0]; f.Kind == pyast.Name && r.made[f.Text] && r.names[f.Text] == "" {
		return // the program's own function
	}
	r.exits(n, name, at)
	r.skips(n, name, at)
	r.files(n, name, at)
	r.patches(n, name, at)
	r.escapes(n, name, at)
	r.processes(n, name, at)
	r.sleeps(n, name, at)
	r.comparisonCall(n, name)
	r.inner(n, name)
}

// inner reads source that is run from a constant, and command lines.
func (r *reading) inner(n *pyast.Node, name string) {
	if len(n.Kids) < 2 || r.depth > 2 {
		return
	}
	switch name {
	case "exec", "eval":
		src, ok := r.fold(n.Kids[1])
		if !ok {
			return
		}
		// The tree around stays in use, so this one has a parser of its own; names that it binds are seen behind it too.
		var p pyast.Parser
		q := piece{lang: python, src: src, field: src, offset: -1, where: r.p.where, path: r.p.path}
		s := &reading{Inspector: r.Inspector, p: &q, m: p.Parse(src), depth: r.depth + 1}
		s.block(s.m.Body, site{})
	case "os.system", "os.popen", "subprocess.run", "subprocess.call", "subprocess.Popen", "subprocess.check_output", "subprocess.check_call", "subprocess.getoutput":
		if src := r.commandLine(n.Kids[1]); src != "" {
			q := piece{lang: shellScript, src: src, field: src, offset: -1, where: r.p.where}
			r.shell(&q, src, r.depth+1)
		}
	}
}

func (r *reading) commandLine(n *pyast.Node) string {
	if s, ok := r.fold(n); ok {
		return s
	}
	if n.Kind != pyast.List && n.Kind != pyast.Tuple {
		return ""
	}
	var words []string
	for _, k := range n.Kids {
		s, ok := r.fold(k)
		if !ok {
			s = "$X"
		}
		words = append(words, s)
	}
	if len(words) == 3 && (words[0] == "bash" || words[0] == "sh") && words[1] == "-c" {
		return words[2]
	}
	return strings.Join(words, " ")
}

// method gives ".name" for a call of a method on something that has no name.
func method(n *pyast.Node) string {
	if n.Kids[0].Kind == pyast.Attr {
		return "." + n.Kids[0].Text
	}
	return ""
}

func (r *reading) find(kind string, definite bool, n *pyast.Node, detail string) {
	if r.inDef != nil && len(r.m.Src) > solution && !r.task.entry(r.inDef.Text) {
		definite = false
	}
	r.point(r.p, kind, definite, int(n.Start), int(n.End), detail)
}

// point adds a finding of tier B on bytes of a piece.
func (in *Inspector) point(p *piece, kind string, definite bool, start, end int, detail string) {
	f := Finding{Kind: kind, Tier: Code, Definite: definite, Severity: Warn, Detail: detail, Where: p.where}
	if definite {
		f.Severity = Critical
	}
	if p.offset < 0 { // a decoded copy: the quote is what it says, and there are no bytes to point at
		f.Quote = clip(p.src[start:min(end, len(p.src))])
		in.note(f, "")
		return
	}
	f.Start, f.End = p.offset+start, p.offset+end
	in.note(f, p.field)
}

func mainGuard(n *pyast.Node) bool {
	if n.Kind != pyast.If || len(n.Kids) == 0 || n.Kids[0].Kind != pyast.Compare {
		return false
	}
	for _, k := range n.Kids[0].Kids {
		if k.Kind == pyast.Name && k.Text == "__name__" {
			return true
		}
	}
	return false
}

func entryName(s string) bool {
	switch s {
	case "main", "cli", "_main", "run_cli", "usage", "die", "fatal", "parse_args", "signal_handler", "handler", "shutdown":
		return true
	}
	return false
}
