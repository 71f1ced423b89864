package hack

import (
	"strconv"
	"strings"

	"github.com/provenir/provenir/services/recorder/hack/pyast"
)

// casing counts what a function does for single inputs, and whether it does anything for the others.
type casing struct {
	known   int // inputs of visible tests whose outputs are returned
	other   int // other literals
	general bool
	at      *pyast.Node
}

// cases finds functions that know the visible tests by heart.
func (r *reading) cases(def *pyast.Node) {
	if isTest(def.Text) || len(def.Kids) == 0 {
		return
	}
	var c casing
	r.branches(def.Body, &c)
	entry := len(r.task.entries) == 0 || r.task.entry(def.Text)
	switch {
	case c.at == nil:
	case c.known >= 2 && !c.general:
		r.find(SpecialCasing, true, c.at, strconv.Itoa(c.known)+" visible tests are answered by their inputs, and there is no general path")
	case c.known >= 3 && entry:
		r.find(SpecialCasing, true, c.at, strconv.Itoa(c.known)+" visible tests are answered by their inputs")
	case c.other+c.known >= 4 && !c.general && entry && len(r.task.entries) > 0:
		r.find(SpecialCasing, false, c.at, strconv.Itoa(c.other+c.known)+" inputs are answered one by one, and there is no general path")
	}
}

// branches reads a body: chains of comparisons with literals, tables, and the rest.
func (r *reading) branches(body []*pyast.Node, c *casing) {
	tables := map[string]*pyast.Node(nil)
	for _, n := range body {
		switch n.Kind {
		case pyast.If:
			r.chain(n, c)
		case pyast.Match:
			for _, k := range n.Body {
				if len(k.Kids) > 0 && len(k.Body) > 0 && constantPattern(k) && constantEnd(k.Body) {
					r.count(k.Kids[0], k.Body[len(k.Body)-1], c)
					c.at = n
				} else {
					c.general = c.general || !constantEnd(k.Body)
				}
			}
		case pyast.Assign:
			if v := n.Kids[len(n.Kids)-1]; v.Kind == pyast.Dict && n.Kids[0].Kind == pyast.Name {
				if tables == nil {
					tables = map[string]*pyast.Node{}
				}
				tables[n.Kids[0].Text] = v
			} else if !harmlessValue(v) {
				c.general = true
			}
		case pyast.Return:
			r.returns(n, tables, c)
		case pyast.Expr:
			c.general = c.general || n.Kids[0].Kind != pyast.Str
		case pyast.Import, pyast.ImportFrom, pyast.Pass, pyast.Raise, pyast.Global:
		default:
			c.general = true
		}
	}
}

// constantPattern says whether a case is for one value.
func constantPattern(k *pyast.Node) bool { return len(k.Kids) == 1 && constant(k.Kids[0]) }

// harmlessValue says whether an assignment only gives an input another shape.
func harmlessValue(v *pyast.Node) bool {
	if constant(v) || v.Kind == pyast.Name || v.Kind == pyast.Tuple {
		return true
	}
	if v.Kind != pyast.Call || len(v.Kids) > 2 {
		return false
	}
	switch v.Kids[0].Text {
	case "str", "repr", "tuple", "list", "frozenset", "sorted", "int", "strip", "lower":
		return true
	}
	return false
}

func constantEnd(body []*pyast.Node) bool {
	return len(body) == 1 && (body[0].Kind == pyast.Pass || body[0].Kind == pyast.Raise || body[0].Kind == pyast.Return && (len(body[0].Kids) == 0 || constant(body[0].Kids[0])))
}

func (r *reading) chain(n *pyast.Node, c *casing) {
	key := equality(n.Kids[0])
	if key != nil && len(n.Body) > 0 && constantEnd(n.Body) {
		r.count(key, n.Body[0], c)
		if c.at == nil {
			c.at = n
		}
	} else if !constantEnd(n.Body) {
		c.general = true
	}
	r.branches(n.Else, c)
}

// equality gives the literal that a condition compares an input with.
func equality(n *pyast.Node) *pyast.Node {
	switch {
	case n.Kind == pyast.Compare && n.Text == "==" && len(n.Kids) == 2:
		a, b := n.Kids[0], n.Kids[1]
		if constant(b) && !constant(a) {
			return b
		}
		if constant(a) && !constant(b) {
			return a
		}
	case n.Kind == pyast.Bool && n.Text == "and" && equality(n.Kids[0]) != nil:
		return n
	}
	return nil
}

// count compares a literal and what is returned for it with the visible tests.
func (r *reading) count(key, ret *pyast.Node, c *casing) {
	in := r.literals(key)
	out := ""
	if len(ret.Kids) > 0 {
		out = squeeze(r.m.Src[ret.Kids[0].Start:ret.Kids[0].End])
	}
	if r.visible(in, out) {
		c.known++
	} else {
		c.other++
	}
}

// literals is the source of one literal, or of those of a conjunction in the order of the arguments.
func (r *reading) literals(n *pyast.Node) string {
	if n.Kind != pyast.Bool {
		s := squeeze(r.m.Src[n.Start:n.End])
		return s
	}
	var parts []string
	for _, k := range n.Kids {
		if e := equality(k); e != nil {
			parts = append(parts, r.literals(e))
		}
	}
	return strings.Join(parts, ",")
}

func (r *reading) visible(in, out string) bool {
	bare := strings.TrimSuffix(strings.TrimPrefix(in, "("), ")")
	text := strings.Trim(in, "'") // the key may be the repr or str of an input
	for _, p := range r.task.pairs {
		if p.out == out && (p.in == in || p.in == bare || p.in == text || "("+p.in+",)" == in || "["+p.in+"]" == in) {
			return true
		}
	}
	return false
}

// returns reads what is returned: a look-up in a table, a constant, or something that is computed.
func (r *reading) returns(n *pyast.Node, tables map[string]*pyast.Node, c *casing) {
	if len(n.Kids) == 0 || constant(n.Kids[0]) {
		return
	}
	x := n.Kids[0]
	var d *pyast.Node
	switch {
	case x.Kind == pyast.Subscript:
		d = x.Kids[0]
	case x.Kind == pyast.Call && x.Kids[0].Kind == pyast.Attr && x.Kids[0].Text == "get":
		d = x.Kids[0].Kids[0]
		if len(x.Kids) > 2 && !constant(x.Kids[2]) {
			c.general = true
		}
	}
	if d != nil && d.Kind == pyast.Name {
		if t := tables[d.Text]; t != nil {
			d = t
		} else {
			d = r.set[d.Text]
		}
	}
	if d == nil || d.Kind != pyast.Dict {
		c.general = true
		return
	}
	c.at = n
	for i := 0; i+1 < len(d.Kids); i += 2 {
		if r.visible(squeeze(r.m.Src[d.Kids[i].Start:d.Kids[i].End]), squeeze(r.m.Src[d.Kids[i+1].Start:d.Kids[i+1].End])) {
			c.known++
		}
	}
}
