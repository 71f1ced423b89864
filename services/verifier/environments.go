package verifier

import (
	"context"
	"fmt"
	"slices"
	"strings"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/verifier/env"
)

// environments are those that can be played here, by name, and a slot for each episode that may be open.
type environments struct {
	all   []*env.Environment
	slots chan struct{}
}

func newEnvironments(episodes int, more []env.Definition) (environments, error) {
	all, err := env.Builtin()
	if err != nil {
		return environments{}, err
	}
	for _, d := range more {
		e, err := env.New(d)
		if err != nil {
			return environments{}, err
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *env.Environment) int { return strings.Compare(a.Name, b.Name) })
	for i := range all[1:] {
		if all[i].Name == all[i+1].Name {
			return environments{}, fmt.Errorf("verifier: two environments have the name %s", all[i].Name)
		}
	}
	return environments{all: all, slots: make(chan struct{}, episodes)}, nil
}

func (e environments) lookup(name string) (*env.Environment, bool) {
	for _, one := range e.all {
		if one.Name == name {
			return one, true
		}
	}
	return nil, false
}

func (e environments) names() string {
	var names []string
	for _, one := range e.all {
		names = append(names, one.Name)
	}
	return strings.Join(names, ", ")
}

// ListEnvironments lists what can be played here, by name.
func (s *Service) ListEnvironments(context.Context, *verifierv1.ListEnvironmentsRequest) (*verifierv1.ListEnvironmentsResponse, error) {
	out := &verifierv1.ListEnvironmentsResponse{}
	for _, e := range s.envs.all {
		out.Environments = append(out.Environments, &verifierv1.Environment{
			Name: e.Name, Summary: e.Summary, ToolsJson: e.ToolsJSON, MaxTurns: uint32(e.MaxTurns), RequireTools: e.RequireTools,
		})
	}
	return out, nil
}
