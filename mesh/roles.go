package mesh

import (
	"fmt"
	"slices"
	"strings"
)

// Role is a part of the mesh that can run alone.
type Role string

// Roles, in the order in which they start; they stop in reverse.
const (
	Recorder     Role = "recorder"
	Governance   Role = "governance"
	Verifier     Role = "verifier"
	Evaluator    Role = "evaluator"
	Trainer      Role = "trainer"
	Orchestrator Role = "orchestrator"
	Gateway      Role = "gateway"
)

// Roles lists all of them in their order.
func Roles() []Role {
	return []Role{Recorder, Governance, Verifier, Evaluator, Trainer, Orchestrator, Gateway}
}

// ParseRoles reads names; each once, in any order.
func ParseRoles(names []string) ([]Role, error) {
	if len(names) == 0 {
		return nil, fmt.Errorf("--roles: name at least one of %s", list())
	}
	var out []Role
	for _, n := range names {
		r := Role(strings.TrimSpace(n))
		if !slices.Contains(Roles(), r) {
			return nil, fmt.Errorf("--roles: there is no role %q; there are %s", n, list())
		}
		if slices.Contains(out, r) {
			return nil, fmt.Errorf("--roles: %s is named twice", r)
		}
		out = append(out, r)
	}
	return out, nil
}

func list() string {
	var names []string
	for _, r := range Roles() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}
