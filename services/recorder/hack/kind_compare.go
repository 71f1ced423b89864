package hack

import "github.com/provenir/provenir/services/recorder/hack/pyast"

func comparator(name string) bool {
	switch name {
	case "__eq__", "__ne__", "__bool__", "__lt__", "__gt__", "__le__", "__ge__", "__contains__":
		return true
	}
	return false
}

// comparisonClass finds classes whose comparisons do not look at what they are compared with.
func (r *reading) comparisonClass(n *pyast.Node) {
	for _, b := range n.Body {
		if b.Kind == pyast.Assign && b.Kids[0].Kind == pyast.Name && comparator(b.Kids[0].Text) {
			if v := b.Kids[len(b.Kids)-1]; v.Kind == pyast.Lambda && ignores(v) {
				r.find(ComparisonOverride, !r.suite, b, "the class "+clip(n.Text)+" is equal to anything")
			}
			continue
		}
		if b.Kind != pyast.Def || !comparator(b.Text) {
			continue
		}
		constant := constantReturn(b)
		if constant == nil || b.Text != "__bool__" && uses(b.Body, param(b, 1)) {
			continue
		}
		// A truth value of a class of one's own may be constant: it is evidence only where instances are returned.
		definite := b.Text == "__eq__" && constant.Text == "True" || b.Text == "__ne__" && constant.Text == "False" || r.gives[n.Text]
		r.find(ComparisonOverride, definite && !r.suite, b, b.Text+" of the class "+clip(n.Text)+" ignores its argument")
	}
}

// constantReturn gives the constant that a function returns whatever it is given, or nil.
func constantReturn(def *pyast.Node) *pyast.Node {
	body := def.Body
	if len(body) > 0 && body[0].Kind == pyast.Expr && body[0].Kids[0].Kind == pyast.Str {
		body = body[1:]
	}
	if len(body) != 1 || body[0].Kind != pyast.Return || len(body[0].Kids) != 1 {
		return nil
	}
	if k := body[0].Kids[0]; constant(k) {
		return k
	}
	return nil
}

func constant(n *pyast.Node) bool {
	switch n.Kind {
	case pyast.Num, pyast.Str:
		return n.Kind == pyast.Num || literalOnly(n)
	case pyast.Name:
		return n.Text == "True" || n.Text == "False" || n.Text == "None"
	case pyast.Unary:
		return len(n.Kids) == 1 && constant(n.Kids[0])
	case pyast.List, pyast.Tuple, pyast.Set, pyast.Dict:
		for _, k := range n.Kids {
			if !constant(k) {
				return false
			}
		}
		return true
	}
	return false
}

func literalOnly(n *pyast.Node) bool {
	_, ok := literal(n)
	return ok
}

func param(def *pyast.Node, i int) string {
	if i < len(def.Kids) && def.Kids[i].Kind == pyast.Param {
		return def.Kids[i].Text
	}
	return ""
}

func uses(list []*pyast.Node, name string) bool {
	found := false
	for _, n := range list {
		pyast.Walk(n, func(n *pyast.Node) bool {
			found = found || n.Kind == pyast.Name && n.Text == name && name != ""
			return !found
		})
	}
	return found
}

// ignores says whether a lambda of two parameters gives a constant, or never reads the second one.
func ignores(l *pyast.Node) bool {
	if len(l.Kids) < 2 {
		return false
	}
	body := l.Kids[len(l.Kids)-1]
	if len(l.Kids) == 2 { // *args
		return constant(body)
	}
	return constant(body) || !uses(l.Kids[len(l.Kids)-1:], l.Kids[1].Text)
}

// comparisonCall finds classes that are made by a call.
func (r *reading) comparisonCall(n *pyast.Node, name string) {
	if name != "type" || len(n.Kids) != 4 || n.Kids[3].Kind != pyast.Dict {
		return
	}
	d := n.Kids[3].Kids
	for i := 0; i+1 < len(d); i += 2 {
		if key, ok := r.fold(d[i]); ok && comparator(key) && d[i+1].Kind == pyast.Lambda && ignores(d[i+1]) {
			r.find(ComparisonOverride, !r.suite, n, "a class whose "+key+" ignores its argument")
		}
	}
}
