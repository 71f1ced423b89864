package math

import (
	"strings"

	"github.com/provenir/provenir/services/verifier/math/equal"
	"github.com/provenir/provenir/services/verifier/math/syntax"
	"github.com/provenir/provenir/services/verifier/text/extract"
)

// reference is a gold answer. Its tree is made when it is needed: most answers are integers, and for those it is not.
type reference struct {
	text   string
	node   *syntax.Node
	parse  func(string) (*syntax.Node, error)
	number int64
	plain  bool // text is a plain integer, number
}

// reference reads a gold by its own box, behind ####, or whole.
func (m *Verifier) reference(gold string) (reference, error) {
	r := reference{text: strings.TrimSpace(gold), parse: m.parse}
	if n, ok := plainInteger(r.text); ok {
		r.number, r.plain = n, true
		return r, nil
	}
	if b := extract.FindBoxes(gold, 0).Pieces; len(b) > 0 {
		r.text = strings.TrimSpace(b[len(b)-1].Text)
	} else if i := strings.LastIndex(gold, "####"); i >= 0 {
		r.text = strings.TrimSpace(gold[i+len("####"):])
	}
	if n, ok := plainInteger(r.text); ok {
		r.number, r.plain = n, true
		return r, nil
	}
	node, err := r.tree()
	r.node = node
	return r, err
}

func (r *reference) tree() (*syntax.Node, error) {
	if r.node != nil {
		return r.node, nil
	}
	return r.parse(r.text)
}

// quick decides without a tree: the same text, or two plain integers.
func (r *reference) quick(t string) equal.Outcome {
	if t == r.text {
		return equal.Equal
	}
	if r.plain {
		if n, ok := plainInteger(t); ok {
			if n == r.number {
				return equal.Equal
			}
			return equal.Different
		}
	}
	return 0
}

// plainInteger reads digits with a sign and thousands commas, as far as they fit into an int64.
func plainInteger(s string) (int64, bool) {
	i, neg := 0, false
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		neg = s[i] == '-'
		i++
	}
	if i == len(s) || len(s)-i > 23 {
		return 0, false
	}
	var n int64
	digits, group := 0, -1 // group counts digits since a comma
	for ; i < len(s); i++ {
		c := s[i]
		if c == ',' {
			if digits == 0 || group >= 0 && group != 3 || group < 0 && digits > 3 {
				return 0, false
			}
			group = 0
			continue
		}
		if c < '0' || c > '9' || digits >= 18 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
		digits++
		if group >= 0 {
			group++
		}
	}
	if group >= 0 && (group != 3 || s[0] == '0' || (neg || s[0] == '+') && s[1] == '0') || digits == 0 {
		return 0, false
	}
	if neg {
		n = -n
	}
	return n, true
}
