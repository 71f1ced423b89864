package runspec

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// line finds where the file names a key such as hyper.max_steps. Elements of lists and maps stand at their field's line.
func (s *Source) line(key string) (int, bool) {
	if s == nil {
		return 0, false
	}
	f, err := parser.ParseBytes(s.text, 0)
	if err != nil {
		return 0, false
	}
	for _, doc := range f.Docs {
		if n, ok := find(doc.Body, strings.Split(key, ".")); ok {
			return n, true
		}
	}
	return 0, false
}

func find(n ast.Node, path []string) (int, bool) {
	entries, ok := n.(ast.MapNode)
	if !ok {
		return 0, false
	}
	name, _, indexed := strings.Cut(path[0], "[")
	for it := entries.MapRange(); it.Next(); {
		if got := it.Key().GetToken().Value; got != name && snake(got) != name {
			continue
		}
		if len(path) == 1 || indexed {
			return it.Key().GetToken().Position.Line, true
		}
		return find(it.Value(), path[1:])
	}
	return 0, false
}

// snake writes maxSteps as max_steps: files may use either.
func snake(s string) string {
	var out strings.Builder
	for _, c := range s {
		if c >= 'A' && c <= 'Z' {
			out.WriteByte('_')
			c += 'a' - 'A'
		}
		out.WriteRune(c)
	}
	return out.String()
}
