package metric

import (
	"slices"
	"strings"
)

// Raw is a number under an engine's own name.
type Raw struct {
	Key string
	X   float64
}

// Table says what an engine's keys mean. Order is preference: where two keys of a row mean the same, the first counts and
// the other stays raw, because two numbers made in different ways must not stand for one another.
type Table struct {
	Engine   string
	prefixes []string // that loggers put before every key
	rules    []rule
	sums     []sum
}

// rule maps one key. A key may hold one *, which stands for one part or more of a path; in the target it is put back.
type rule struct {
	key, to    string
	tags       Tags
	scale      float64 // 0 is 1
	complement bool    // 1 - x
	// ambiguous tells that the engine also writes 0 where it had nothing to measure. Such a 0 is taken for absent.
	ambiguous bool
	// common tells that other engines use the same key, so that it says little about which engine wrote the log.
	common bool
}

// sum adds keys of a row up, all of which must be there.
type sum struct {
	to    string
	keys  []string
	scale float64
}

// Tables are those of all engines, by name.
func Tables() []*Table {
	return []*Table{own(), trl(), unsloth(), verl(), prime(), nemo(), openRLHF(), skyRL(), tinker()}
}

// Engine finds a table by the engine's name.
func Engine(name string) (*Table, bool) {
	for _, t := range Tables() {
		if t.Engine == name {
			return t, true
		}
	}
	return nil, false
}

// Engines lists the names.
func Engines() []string {
	var names []string
	for _, t := range Tables() {
		names = append(names, t.Engine)
	}
	slices.Sort(names)
	return names
}

// find gives the rule of a key without an eval prefix, its place in the order, and what * stood for.
func (t *Table) find(key string) (r *rule, at int, star string) {
	for i := range t.rules {
		if star, ok := match(t.rules[i].key, key); ok {
			return &t.rules[i], i, star
		}
	}
	for _, p := range t.prefixes {
		if rest, ok := strings.CutPrefix(key, p); ok && rest != "" {
			return t.find(rest)
		}
	}
	return nil, 0, ""
}

func match(pattern, key string) (star string, ok bool) {
	head, tail, wild := strings.Cut(pattern, "*")
	if !wild {
		return "", pattern == key
	}
	if len(key) <= len(head)+len(tail) || !strings.HasPrefix(key, head) || !strings.HasSuffix(key, tail) {
		return "", false
	}
	return key[len(head) : len(key)-len(tail)], true
}

// Targets lists the canonical names that a table maps to; a component is one of the name x.
func (t *Table) Targets() []string {
	var out []string
	for _, r := range t.rules {
		out = append(out, strings.Replace(r.to, "*", "x", 1))
	}
	for _, s := range t.sums {
		out = append(out, s.to)
	}
	return out
}
