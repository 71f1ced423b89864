package env

import (
	"encoding/json"
	"fmt"

	"github.com/provenir/provenir/internal/task"
)

// Builtin are the environments of this build, sorted by name.
func Builtin() ([]*Environment, error) {
	var out []*Environment
	for _, d := range []Definition{calculatorDefinition(), lookupDefinition()} {
		e, err := New(d)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// draw makes the first instance of a pack that a seed has in a split, and reads its row.
func draw(pack string, s Setting, row any) (Task, error) {
	p, err := task.Lookup(pack)
	if err != nil {
		return Task{}, err
	}
	found, err := task.Sample(p, s.Seed, s.Split, 1, task.Setting{Difficulty: s.Difficulty})
	if err != nil {
		return Task{}, err
	}
	i := found[0]
	if err := json.Unmarshal([]byte(i.Row), row); err != nil {
		return Task{}, fmt.Errorf("the row of a task of %s: %w", pack, err)
	}
	return Task{ID: i.ID, Prompt: i.Prompt, Reference: i.Reference, Row: i.Row, Spec: i.Spec}, nil
}

// packVersion is part of an environment's version: other instances are another environment.
func packVersion(pack string) string {
	p, err := task.Lookup(pack)
	if err != nil {
		return "0"
	}
	return p.Version()
}
