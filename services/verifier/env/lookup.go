package env

import (
	"context"
	"encoding/json"
	"fmt"
)

func lookupDefinition() Definition {
	return Definition{
		Name: "lookup", Version: "1." + packVersion("lookup"), Summary: "Find a fact some hops away in a made-up register, with a tool.",
		Tools: []Tool{{"lookup", "Reads one fact of the register.", json.RawMessage(`{"type":"object","properties":` +
			`{"entity":{"type":"string","description":"a name, as in the question or in an answer"},"relation":{"type":"string","description":"such as keeper"}},` +
			`"required":["entity","relation"],"additionalProperties":false}`)}},
		RequireTools: true,
		Begin: func(s Setting) (World, error) {
			w := &register{}
			var err error
			if w.task, err = draw("lookup", s, w); err != nil {
				return nil, err
			}
			return w, nil
		},
	}
}

// register is a store of facts that is only read.
type register struct {
	Facts [][3]string `json:"facts"` // entity, relation, value
	Chain [][3]string `json:"chain"` // the facts that lead to the answer
	task  Task
	found int // how many of Chain were read, in their order
}

func (r *register) Task() Task { return r.task }

// Act reads a fact. That there is none is an answer and no error.
func (r *register) Act(_ context.Context, _ string, args map[string]any) (string, error) {
	entity, _ := args["entity"].(string)
	relation, _ := args["relation"].(string)
	for _, f := range r.Facts {
		if f[0] != entity || f[1] != relation {
			continue
		}
		if r.found < len(r.Chain) && r.Chain[r.found] == f {
			r.found++
		}
		return f[2], nil
	}
	return fmt.Sprintf("The register has no %s of %s.", shown(relation, 80), shown(entity, 80)), nil
}

// Progress is the share of the hops that were found.
func (r *register) Progress() float64 { return float64(r.found) / float64(len(r.Chain)) }
