package metric

import (
	"cmp"
	"slices"
	"strings"
)

// Mapper maps the rows of one log. It remembers keys, so that a row costs one look-up a value. It is not safe for
// concurrent use.
type Mapper struct {
	table *Table
	known map[string]place
	// Ambiguous counts zeros that were taken for absent, because the engine writes them for empty sets as well.
	Ambiguous uint64
}

type place struct {
	rule  *rule
	order int
	name  string
	scope string
}

// NewMapper maps with a table.
func NewMapper(t *Table) *Mapper { return &Mapper{table: t, known: map[string]place{}} }

// Engine is the table's name.
func (m *Mapper) Engine() string { return m.table.Engine }

// Name is the canonical name of a key; ok is false where the table does not know it.
func (m *Mapper) Name(key string) (name string, ok bool) {
	p := m.place(key)
	return p.name, p.rule != nil
}

// Row maps a row's values and sorts them by name. A key that the table does not know is kept as raw.<key>.
func (m *Mapper) Row(in []Raw) []Value {
	out := make([]Value, 0, len(in)+len(m.table.sums))
	best := make(map[string]int, len(in)) // by name and scope: index in out
	for _, r := range in {
		p := m.place(r.Key)
		if p.rule != nil && p.rule.ambiguous && r.X == 0 {
			m.Ambiguous++
			continue
		}
		v := p.value(r)
		id := v.Name + "\x00" + v.Scope
		i, taken := best[id]
		switch {
		case !taken:
			best[id] = len(out)
		case p.order < m.place(out[i].Raw).order:
			out[i].Name = rawPrefix + out[i].Raw
			best[id] = len(out)
		default:
			v.Name = rawPrefix + r.Key
		}
		out = append(out, v)
	}
	out = m.sums(in, best, out)
	slices.SortStableFunc(out, func(a, b Value) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Scope, b.Scope)) })
	return out
}

func (m *Mapper) sums(in []Raw, best map[string]int, out []Value) []Value {
	for _, s := range m.table.sums {
		if _, taken := best[s.to+"\x00"]; taken {
			continue
		}
		x, n := 0.0, 0
		for _, k := range s.keys {
			if i := slices.IndexFunc(in, func(r Raw) bool { return r.Key == k || m.stripped(r.Key) == k }); i >= 0 {
				x += in[i].X
				n++
			}
		}
		if n == len(s.keys) {
			out = append(out, Value{Name: s.to, Raw: strings.Join(s.keys, "+"), X: x * cmp.Or(s.scale, 1)})
			best[s.to+"\x00"] = len(out) - 1
		}
	}
	return out
}

func (m *Mapper) stripped(key string) string {
	for _, p := range m.table.prefixes {
		if rest, ok := strings.CutPrefix(key, p); ok {
			return rest
		}
	}
	return key
}

func (m *Mapper) place(key string) place {
	if p, ok := m.known[key]; ok {
		return p
	}
	bare, scope := key, ""
	for _, prefix := range []string{"eval_", "val-"} {
		if rest, ok := strings.CutPrefix(key, prefix); ok && rest != "" {
			bare, scope = rest, "eval"
		}
	}
	r, order, star := m.table.find(bare)
	p := place{order: len(m.table.rules), name: rawPrefix + key, scope: scope}
	if r != nil {
		p = place{rule: r, order: order, scope: cmp.Or(scope, r.tags.Scope), name: strings.Replace(r.to, "*", strings.ReplaceAll(star, "/", "."), 1)}
	} else if _, known := Lookup(bare); known { // canonical already, whatever the engine
		p.name = bare
	}
	m.known[key] = p
	return p
}

func (p place) value(r Raw) Value {
	v := Value{Name: p.name, Raw: r.Key, X: r.X}
	if p.rule == nil {
		v.Scope = p.scope
		return v
	}
	v.Tags = p.rule.tags
	v.Scope = p.scope
	if s := p.rule.scale; s != 0 {
		v.X *= s
	}
	if p.rule.complement {
		v.X = 1 - v.X
	}
	return v
}
