package sandbox

import (
	"context"
	"errors"
	"fmt"
)

// layout is what stands around the zygotes and jobs of a machine, by construction. What it is worth, Report observes.
type layout struct {
	namespaces bool    // of users, processes, mounts and the rest, and a root of their own: T2 and T3
	filters    bool    // Landlock and the list of system calls
	gvisor     *gvisor // a kernel of their own: T4; nil for the host's
}

// shared says that jobs see the host's processes and mounts, so that neither ends with a namespace.
func (l layout) shared() bool { return !l.namespaces && l.gvisor == nil }

// layouts are those to try, best first. There is no way down from T4: who asks for a kernel of its own means it.
func (p *Pool) layouts() []layout {
	if p.cfg.MinTier == T4 {
		return []layout{{namespaces: true, filters: true, gvisor: &gvisor{path: p.cfg.GVisor}}}
	}
	var out []layout
	if p.cfg.MaxTier >= T2 && !p.cfg.Plain {
		out = append(out, layout{namespaces: true, filters: true})
	}
	if p.cfg.AllowUnsandboxed && !p.cfg.Plain {
		out = append(out, layout{filters: true})
	}
	if p.cfg.AllowUnsandboxed {
		out = append(out, layout{})
	}
	return out
}

// arrange makes a machine of what was found, for one layout.
func (p *Pool) arrange(i *Interpreter, l layout) *machine {
	m := &machine{interpreter: i, root: i.plan(), layout: l}
	switch {
	case l.gvisor != nil:
		m.tier, m.noGroups, m.groupsOff = T4, "the kernel of the sandbox counts by itself", true
		if err := l.gvisor.find(); err != nil {
			m.broken = err
		}
	case l.namespaces:
		m.tier, m.landlock, m.broken = T2, landlockABI(), p.noNamespaces
		p.lookForGroups(m)
	case l.filters:
		m.tier, m.landlock = T1, landlockABI()
		m.noGroups, m.groupsOff = "not used below T2", true
		if m.landlock == 0 {
			m.broken = errors.New("the kernel has no Landlock, without which a process that shares the host's files is not held")
		}
	default:
		m.tier, m.noGroups, m.groupsOff = T0, "not used below T2", true
	}
	return m
}

// settle finds the best layout that the machine bears out, and says so. Only AllowUnsandboxed makes it look below T2.
func (p *Pool) settle(ctx context.Context) (*Report, error) {
	var first *Report
	var why []Layer
	for _, l := range p.layouts() {
		m := p.adopt(l)
		r, err := p.observe(ctx, m)
		if err != nil {
			return nil, fmt.Errorf("test the isolation: %w", err)
		}
		if r.Tier >= p.cfg.MinTier && r.Tier >= m.tier.least() {
			r.Layers = append(r.Layers, why...)
			return r, nil
		}
		for _, layer := range r.Layers {
			if layer.State == Unavailable {
				why = append(why, Layer{Name: fmt.Sprintf("%v_%s", m.tier, layer.Name), State: Unavailable, Reason: layer.Reason})
			}
		}
		if first == nil {
			first = r
		}
		p.abandon()
	}
	return first, nil
}

// least is the tier that a layout has to reach for it to be used: with or without groups is the same layout.
func (t Tier) least() Tier {
	if t == T3 {
		return T2
	}
	return t
}

// adopt makes a layout the pool's.
func (p *Pool) adopt(l layout) *machine {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.machine = p.arrange(p.machine.interpreter, l)
	return p.machine
}

// innerGroups is the folder of control groups that the zygote finds in a kernel of its own; empty on the host's, where Go
// has them.
func (l layout) innerGroups() string {
	if l.gvisor == nil {
		return ""
	}
	return "/" + innerGroups
}

// cloneFlags are the namespaces of a job, where it has any.
func (l layout) cloneFlags(all int64) int64 {
	if l.shared() {
		return 0
	}
	return all
}
