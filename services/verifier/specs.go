package verifier

import (
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/verifier/catalog"
	"github.com/provenir/provenir/services/verifier/reward"
	"github.com/provenir/provenir/services/verifier/spec"
)

// maxCompiled bounds the specs that are kept; the oldest go first.
const maxCompiled = 1024

// compiledSpecs keeps judges by the bytes of their spec: rows of a batch repeat theirs.
type compiledSpecs struct {
	env   catalog.Env
	mu    sync.Mutex
	known map[string]*catalog.Compiled
	order []string
}

func newCompiledSpecs(env catalog.Env) *compiledSpecs {
	return &compiledSpecs{env: env, known: map[string]*catalog.Compiled{}}
}

// get compiles a spec, or finds it. The error has its reason.
func (c *compiledSpecs) get(m *verifierv1.Spec) (*catalog.Compiled, error) {
	if m == nil {
		return nil, specProblem(&spec.BadSpecError{Path: "request", Field: "spec", Value: "absent", Allowed: "a spec, as in name: math"})
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, invalid("spec", "the spec cannot be read: %v", err)
	}
	key := string(b)
	c.mu.Lock()
	found := c.known[key]
	c.mu.Unlock()
	if found != nil {
		// A spec that was compiled for another interpreter has another digest, and the runs that begin now get the new one.
		if _, changed, err := found.Renew(c.env); err == nil && !changed {
			return found, nil
		}
	}
	s, err := specOf(m)
	if err != nil {
		return nil, specProblem(err)
	}
	made, err := catalog.Compile(s, c.env)
	if err != nil {
		return nil, specProblem(err)
	}
	if made.Transient {
		return made, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known[key] == nil || c.known[key] == found {
		known := c.known[key] != nil
		c.known[key] = made
		if known {
			return made, nil
		}
		if c.order = append(c.order, key); len(c.order) > maxCompiled {
			delete(c.known, c.order[0])
			c.order = c.order[1:]
		}
	}
	return c.known[key], nil
}

// specOf reads the message. A name with a colon is spec text, as people write it on the command line.
func specOf(m *verifierv1.Spec) (spec.Spec, error) {
	if strings.Contains(m.GetName(), ":") {
		if len(m.GetOptions().GetFields())+len(m.GetMembers()) > 0 {
			return spec.Spec{}, &spec.BadSpecError{Path: m.GetName(), Field: "name", Value: "spec text beside options or members", Allowed: "one of both"}
		}
		s, err := spec.ParseText(m.GetName())
		s.Weight, s.Required = m.Weight, m.GetRequired() //nolint:protogetter // absence counts
		return s, err
	}
	s := spec.Spec{Name: m.GetName(), Options: m.GetOptions().AsMap(), Weight: m.Weight, Required: m.GetRequired()} //nolint:protogetter // absence counts
	for _, member := range m.GetMembers() {
		inner, err := specOf(member)
		if err != nil {
			return spec.Spec{}, err
		}
		s.Members = append(s.Members, inner)
	}
	if m.GetReward() != nil {
		e := exprOf(m.GetReward())
		s.Reward = &e
	}
	return s, nil
}

func exprOf(m *verifierv1.RewardExpr) reward.Expr {
	e := reward.Expr{
		Op: m.GetOp(), Member: m.Member, Value: m.Value, Weights: m.GetWeights(), Threshold: m.Threshold, Lo: m.Lo, Hi: m.Hi, //nolint:protogetter // absence counts
		MaxTokens: m.MaxTokens, CacheTokens: m.CacheTokens, Unnormalised: m.GetUnnormalised(), NaNValue: m.NanValue, //nolint:protogetter // absence counts
	}
	for _, p := range m.GetParts() {
		e.Parts = append(e.Parts, exprOf(p))
	}
	if m.GetWhen() != nil {
		w := exprOf(m.GetWhen())
		e.When = &w
	}
	return e
}
