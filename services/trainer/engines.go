package trainer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/services/trainer/engine"
)

// pythonEngines are known and need an adapter that is not in this build.
var pythonEngines = []string{"trl", "unsloth", "verl", "attach"}

// choose takes the named engine or an error; auto takes the first that fits, and says of each other why not. There is no
// silent fallback.
func (s *Service) choose(spec *trainerv1.TrainSpec) (Backend, []*trainerv1.Rejection, error) {
	name := strings.ToLower(spec.GetBackend())
	if name == "" {
		name = "auto"
	}
	if name != "auto" {
		b, err := s.named(name)
		if err != nil {
			return Backend{}, nil, err
		}
		return b, nil, b.Fits(spec)
	}
	var rejected []*trainerv1.Rejection
	var lines []string
	for _, b := range s.d.Engines {
		err := b.Fits(spec)
		if err == nil {
			return b, rejected, nil
		}
		rejected = append(rejected, &trainerv1.Rejection{Engine: b.Name, Code: engine.ReasonOf(err), Why: err.Error()})
		lines = append(lines, b.Name+": "+err.Error())
	}
	return Backend{}, rejected, &engine.Error{Reason: "NO_BACKEND", Detail: "no engine here fits: " + strings.Join(lines, "; ")}
}

func (s *Service) named(name string) (Backend, error) {
	var known []string
	for _, b := range s.d.Engines {
		if b.Name == name {
			return b, nil
		}
		known = append(known, b.Name)
	}
	if slices.Contains(pythonEngines, name) {
		return Backend{}, &engine.Error{Reason: "ENGINE_UNAVAILABLE", Detail: name + " needs the Python worker, which is not in this build; use backend: builtin"}
	}
	if name == "stub" {
		return Backend{}, &engine.Error{Reason: "BACKEND_UNKNOWN", Detail: "there is no stub; use builtin"}
	}
	return Backend{}, &engine.Error{Reason: "BACKEND_UNKNOWN", Detail: fmt.Sprintf("no engine is called %q; there are %s", name, strings.Join(known, ", "))}
}

// ListEngines probes by doing: an engine that is listed as available has just run something.
func (s *Service) ListEngines(ctx context.Context, _ *trainerv1.ListEnginesRequest) (*trainerv1.ListEnginesResponse, error) {
	out := &trainerv1.ListEnginesResponse{}
	for _, b := range s.d.Engines {
		st := &trainerv1.EngineStatus{Name: b.Name, Algorithms: b.Algorithms}
		detail, env, err := b.Probe(ctx)
		if st.Detail, st.Available = detail, err == nil; err != nil {
			st.Detail = err.Error()
		}
		if len(env) > 0 {
			st.Env = &corev1.Environment{Values: env}
		}
		out.Engines = append(out.Engines, st)
	}
	for _, name := range pythonEngines {
		out.Engines = append(out.Engines, &trainerv1.EngineStatus{Name: name, Detail: "needs the Python worker, which is not in this build"})
	}
	return out, nil
}
