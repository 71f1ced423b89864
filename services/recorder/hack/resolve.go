package hack

import (
	"strings"

	"github.com/provenir/provenir/services/recorder/hack/pyast"
)

// bind learns what names mean: imports with their aliases, and names given to what an import or a builtin is.
func (in *Inspector) bind(body []*pyast.Node) {
	clear(in.names)
	clear(in.made)
	for _, n := range body {
		pyast.Walk(n, func(n *pyast.Node) bool {
			switch n.Kind {
			case pyast.Import:
				for _, a := range n.Kids {
					if len(a.Kids) > 0 {
						in.names[a.Kids[0].Text] = a.Text
					} else {
						root, _, _ := strings.Cut(a.Text, ".")
						in.names[root] = root
					}
				}
			case pyast.ImportFrom:
				for _, a := range n.Kids {
					name := a.Text
					if len(a.Kids) > 0 {
						name = a.Kids[0].Text
					}
					in.names[name] = n.Text + "." + a.Text
				}
			case pyast.Def, pyast.Class:
				in.made[n.Text] = true
			case pyast.Assign:
				in.alias(n)
			}
			return n.Kind >= pyast.Import && n.Kind != pyast.Expr
		})
	}
}

func (in *Inspector) alias(n *pyast.Node) {
	value := n.Kids[len(n.Kids)-1]
	for _, t := range n.Kids[:len(n.Kids)-1] {
		if t.Kind != pyast.Name {
			continue
		}
		if s := in.resolve(value); s != "" && s != t.Text && (strings.Contains(s, ".") || value.Kind == pyast.Call || builtin(s)) {
			in.names[t.Text] = s
		} else {
			in.made[t.Text] = true
		}
	}
}

func builtin(s string) bool {
	switch s {
	case "exit", "quit", "open", "exec", "eval", "print", "input", "getattr", "setattr", "__import__", "SystemExit", "vars", "globals":
		return true
	}
	return false
}

// resolve gives the dotted name that an expression stands for, or nothing.
func (in *Inspector) resolve(n *pyast.Node) string {
	switch n.Kind {
	case pyast.Name:
		if s, ok := in.names[n.Text]; ok {
			return s
		}
		return n.Text
	case pyast.Attr:
		left := in.resolve(n.Kids[0])
		switch {
		case left == "":
			return ""
		case left == "builtins" || left == "__builtins__":
			return n.Text
		case n.Text == "__dict__":
			return left
		}
		return left + "." + n.Text
	case pyast.Subscript:
		if len(n.Kids) != 2 {
			return ""
		}
		key, ok := in.fold(n.Kids[1])
		if !ok {
			return ""
		}
		switch left := in.resolve(n.Kids[0]); left {
		case "sys.modules", "globals()", "locals()":
			return key
		case "__builtins__", "builtins":
			return key
		case "":
			return ""
		default:
			if strings.HasSuffix(left, "()") {
				return ""
			}
			return left + "." + key
		}
	case pyast.Call:
		return in.resolveCall(n)
	}
	return ""
}

func (in *Inspector) resolveCall(n *pyast.Node) string {
	f := in.resolve(n.Kids[0])
	args := n.Kids[1:]
	switch f {
	case "__import__", "importlib.import_module":
		if len(args) > 0 {
			s, _ := in.fold(args[0])
			return s
		}
	case "getattr":
		if len(args) >= 2 {
			left := in.resolve(args[0])
			if s, ok := in.fold(args[1]); ok && left != "" {
				if left == "builtins" || left == "__builtins__" {
					return s
				}
				return left + "." + s
			}
		}
	case "vars":
		if len(args) == 1 {
			return in.resolve(args[0])
		}
	case "globals", "locals":
		return f + "()"
	case "pathlib.Path", "Path":
		return "pathlib.Path"
	}
	return ""
}

// fold gives the text of a constant: a literal, sums and joins of them, one read backwards.
func (in *Inspector) fold(n *pyast.Node) (string, bool) {
	switch n.Kind {
	case pyast.Str:
		return literal(n)
	case pyast.Binary:
		if n.Text != "+" && n.Text != "/" || len(n.Kids) != 2 {
			return "", false
		}
		a, ok := in.fold(n.Kids[0])
		b, ok2 := in.fold(n.Kids[1])
		if n.Text == "/" {
			a += "/"
		}
		return a + b, ok && ok2
	case pyast.Call:
		return in.foldCall(n)
	case pyast.Subscript:
		if len(n.Kids) == 2 && n.Kids[1].Kind == pyast.Slice && len(n.Kids[1].Kids) == 1 && n.Kids[1].Kids[0].Kind == pyast.Unary {
			s, ok := in.fold(n.Kids[0])
			b := []byte(s)
			for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
				b[i], b[j] = b[j], b[i]
			}
			return string(b), ok
		}
	}
	return "", false
}

func (in *Inspector) foldCall(n *pyast.Node) (string, bool) {
	f := n.Kids[0]
	if f.Kind == pyast.Attr && f.Text == "join" && len(n.Kids) == 2 && (n.Kids[1].Kind == pyast.List || n.Kids[1].Kind == pyast.Tuple) {
		sep, ok := in.fold(f.Kids[0])
		var parts []string
		for _, k := range n.Kids[1].Kids {
			s, good := in.fold(k)
			parts, ok = append(parts, s), ok && good
		}
		return strings.Join(parts, sep), ok
	}
	switch in.resolve(f) {
	case "pathlib.Path", "Path", "os.path.join", "str", "os.path.expanduser":
		var parts []string
		for _, k := range n.Kids[1:] {
			s, ok := in.fold(k)
			if !ok {
				s = "*" // what is not known of a path does not hide its end
			}
			parts = append(parts, s)
		}
		return strings.Join(parts, "/"), len(parts) > 0
	}
	return "", false
}

// literal decodes the pieces of a string; a field of a format has no constant value.
func literal(n *pyast.Node) (string, bool) {
	if len(n.Kids) == 1 {
		return decode(n.Kids[0].Text)
	}
	var b strings.Builder
	for _, k := range n.Kids {
		s, ok := decode(k.Text)
		if !ok {
			return "", false
		}
		b.WriteString(s)
	}
	return b.String(), true
}

var escapes = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\\`, `\`, `\'`, "'", `\"`, `"`, "\\\n", "")

func decode(text string) (string, bool) {
	i := strings.IndexAny(text, `'"`)
	if i < 0 {
		return "", false
	}
	prefix, quote := text[:i], text[i:i+1]
	n := 1
	if strings.HasPrefix(text[i:], quote+quote+quote) {
		n = 3
	}
	body := text[min(len(text), i+n):]
	body = strings.TrimSuffix(body, strings.Repeat(quote, n))
	if strings.ContainsAny(prefix, "fFtT") && strings.Contains(body, "{") {
		return "", false
	}
	if !strings.ContainsAny(prefix, "rR") && strings.IndexByte(body, '\\') >= 0 {
		body = escapes.Replace(body)
	}
	return body, true
}
