package catalog

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/provenir/provenir/services/verifier/code"
	"github.com/provenir/provenir/services/verifier/compose"
	"github.com/provenir/provenir/services/verifier/env/replayed"
	"github.com/provenir/provenir/services/verifier/plugin"
	"github.com/provenir/provenir/services/verifier/remote"
	"github.com/provenir/provenir/services/verifier/rules"
	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Revision changes with every change of what a verifier answers: the digest of a verifier must not stay when its
// verdicts do not.
const Revision = "verifier/1"

// Compiled is a spec that can judge.
type Compiled struct {
	Name   string
	Judge  verdict.Judge
	Digest [sha256.Size]byte // of spec with defaults, code, tables and, where code runs, the interpreter
	Spec   spec.Resolved
	// Cheap says that a verdict takes well under a millisecond, so that every rollout can have a second one.
	Cheap bool
	// Waits says that it waits for a sandbox or another process, and takes a context.
	Waits bool
	// SameJob says that the second verdict comes with the first: hidden tests run in the job of the visible ones.
	SameJob bool
	// Transient says that the interpreter could not be told, so that the digest is not the one that it will have with
	// it: do not keep it. Its verdicts are unscored and say why.
	Transient bool

	interpreter *sandbox.Identity // for which it was compiled; nil where it runs no code
}

// Env is what judges need besides their spec.
type Env struct {
	Code    string       // names the build
	Sandbox code.Runner  // nil where code cannot run
	Dial    remote.Dial  // nil where nobody else is asked
	Plugins *plugin.Host // nil where there are none
	// Apart runs Starlark programs in processes of their own; nil runs them in this one.
	Apart *rules.Apart
	// Episodes are the environments that can be played; nil where there are none.
	Episodes *replayed.Deps
	// Interpreter identifies what runs code, with the packages that it may see: another Python answers otherwise. Nil where
	// code cannot run.
	Interpreter func(packages bool) (sandbox.Identity, error)

	binary string // of the interpreter that a spec is compiled for
}

func (env Env) build(name, path string, v spec.Values) (verdict.Judge, error) {
	switch {
	case name == code.Name && env.Apart != nil && v.String("compare") == "starlark": // it would run in this process, whose memory is not theirs
		return nil, &spec.BadSpecError{Path: path, Field: "compare", Value: "starlark", Allowed: "for other tenants than the default one: exact, lines, tokens, float; or the verifier starlark"}
	case name == code.Name && env.Sandbox != nil:
		j, err := code.New(path, v, env.Sandbox)
		if err != nil {
			return nil, err
		}
		return program{j, env.binary}, nil
	case name == remote.Name && env.Dial != nil:
		return remote.New(path, v, env.Dial)
	case name == replayed.Name && env.Episodes != nil:
		return replayed.New(path, v, env.Episodes)
	case name == rules.Name && env.Apart != nil:
		return env.Apart.New(path, v)
	case name == plugin.Name && env.Plugins != nil:
		return env.Plugins.New(path, v)
	case entries[name].build == nil:
		return nil, &spec.NotAvailableError{Name: name}
	}
	return entries[name].build(path, v)
}

// Compile checks a spec and makes its judge. The error is a *spec.BadSpecError,
// *spec.UnknownVerifierError, *spec.NotAvailableError or *spec.PatternError.
func Compile(s spec.Spec, env Env) (*Compiled, error) {
	code, packages := runsCode(&s)
	var interpreter *sandbox.Identity
	var unknown error
	if env.Interpreter != nil && code {
		var id sandbox.Identity
		id, unknown = env.Interpreter(packages)
		interpreter, env.binary = &id, id.Binary
	}
	judge, resolved, err := env.compile(s, s.Name, 0)
	if err != nil {
		return nil, err
	}
	c := &Compiled{Name: s.Name, Judge: judge, Spec: resolved, Cheap: !verdict.Waits(judge), Waits: verdict.Waits(judge), Transient: unknown != nil, interpreter: interpreter}
	c.Digest, err = env.digest(&resolved, interpreter)
	return c, err
}

func (env Env) digest(r *spec.Resolved, interpreter *sandbox.Identity) ([sha256.Size]byte, error) {
	doc, err := json.Marshal(struct {
		Spec        *spec.Resolved    `json:"spec"`
		Code        string            `json:"code"`
		Revision    string            `json:"revision"`
		Interpreter *sandbox.Identity `json:"interpreter,omitempty"`
		Played      []string          `json:"played,omitempty"`
	}{r, env.Code, Revision, interpreter, env.played(r)})
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("digest of %s: %w", r.Name, err)
	}
	return sha256.Sum256(doc), nil
}

// played names the environments of a spec with their versions, in their order.
func (env Env) played(r *spec.Resolved) []string {
	var out []string
	if r.Name == replayed.Name && env.Episodes != nil {
		out = append(out, env.Episodes.Version(r.Options.String("environment")))
	}
	for i := range r.Members {
		out = append(out, env.played(&r.Members[i])...)
	}
	return out
}

// Renew is the digest of the verifier as the machine is now: its interpreter may have been replaced since it was compiled.
// changed is false where it is what it was.
func (c *Compiled) Renew(env Env) (digest [sha256.Size]byte, changed bool, err error) {
	if c.interpreter == nil {
		return c.Digest, false, nil
	}
	id, err := env.Interpreter(c.interpreter.Packages != "")
	if err != nil || id == *c.interpreter {
		return c.Digest, false, err
	}
	digest, err = env.digest(&c.Spec, &id)
	return digest, true, err
}

// maxNesting bounds composites within composites.
const maxNesting = 8

func (env Env) compile(s spec.Spec, path string, depth int) (verdict.Judge, spec.Resolved, error) {
	fail := func(err error) (verdict.Judge, spec.Resolved, error) { return nil, spec.Resolved{}, err }
	if depth > maxNesting {
		return fail(&spec.BadSpecError{Path: path, Field: "members", Value: "nested too deep", Allowed: fmt.Sprintf("%d levels", maxNesting)})
	}
	d, err := Describe(s.Name)
	if err != nil {
		return fail(err)
	}
	if err := s.CheckWeight(path); err != nil {
		return fail(err)
	}
	if !d.Members && (len(s.Members) > 0 || s.Reward != nil) {
		return fail(&spec.BadSpecError{Path: path, Field: "members, reward", Value: "given", Allowed: "none; only composite has them"})
	}
	v, err := d.Resolve(path, s.Options)
	if err != nil {
		return fail(err)
	}
	r := spec.Resolved{Name: s.Name, Options: v, Reward: s.Reward, Weight: s.Weight, Required: s.Required}
	if !d.Members {
		j, err := env.build(s.Name, path, v)
		return j, r, err
	}
	var members []compose.Member
	for i, m := range s.Members {
		at := fmt.Sprintf("%s.members[%d].%s", path, i, m.Name)
		j, resolved, err := env.compile(m, at, depth+1)
		if err != nil {
			return fail(err)
		}
		weight := 1.0
		if m.Weight != nil {
			weight = *m.Weight
		}
		members = append(members, compose.Member{Name: m.Name, Judge: j, Weight: weight, Required: m.Required})
		r.Members = append(r.Members, resolved)
	}
	c, err := compose.New(path, v, members, s.Reward)
	if err != nil {
		return fail(err)
	}
	return c, r, nil
}
