package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Report says what the machine offers, from programs that were really run. The first call runs them; later ones repeat what
// was seen.
func (p *Pool) Report(ctx context.Context) (*Report, error) {
	m, err := p.look(ctx)
	if err != nil {
		return nil, err
	}
	p.reporting.Lock()
	defer p.reporting.Unlock()
	if p.report != nil {
		if said := m.interpreter.said(); p.report.Interpreters[0] != said { // what isolates is the same
			r := *p.report
			r.Interpreters = []string{said}
			p.report = &r
		}
		return p.report, nil
	}
	r, err := p.settle(ctx)
	if err != nil {
		return nil, err
	}
	p.report = r
	return r, nil
}

// observe tries one layout.
func (p *Pool) observe(ctx context.Context, m *machine) (*Report, error) {
	r := &Report{MinTier: p.cfg.MinTier, Kernel: kernel(), CgroupMode: "none", Interpreters: []string{m.interpreter.said()}}
	if m.groups != nil {
		r.CgroupMode = m.groups.mode
	}
	started, err := p.try(ctx, m, r)
	if err != nil {
		return nil, err
	}
	r.Layers = m.layers(started)
	r.Tier = m.observedTier(r, started)
	if r.Tier < p.cfg.MinTier {
		r.Remedies = remedies(m, started)
	} else {
		r.Languages = p.languages(m)
	}
	return r, nil
}

// try runs the probes. started says why no sandbox could be started; err that nothing was observed.
func (p *Pool) try(ctx context.Context, m *machine, r *Report) (started, err error) {
	dir, err := os.MkdirTemp("", "provenir-probe-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	secret := filepath.Join(dir, "secret")
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(secret, []byte("of the host"), 0o644); err != nil {
		return nil, err
	}
	for i := range probes {
		if m.tier == T0 && started == nil {
			break // nothing would stop them, and some hurt
		}
		source := head + strings.ReplaceAll(probes[i].source, "SECRET", secret)
		control := ""
		if probes[i].control {
			control = withoutSandbox(ctx, m.interpreter.Path, dir, source)
		}
		s, err := p.take(ctx, "")
		if err != nil {
			return nil, err
		}
		if err := s.warm(ctx, m, lean); err != nil {
			p.give(s)
			if ctx.Err() != nil {
				return nil, err
			}
			return err, nil
		}
		res, err := s.script(ctx, m, Job{Source: source, Limits: probeLimits()})
		if err != nil {
			return nil, err
		}
		r.Probes = append(r.Probes, probes[i].verdict(&res, m.groups != nil, control))
	}
	return nil, nil
}

// withoutSandbox is the positive control: a probe that gets nowhere even here proves nothing.
func withoutSandbox(ctx context.Context, python, dir, source string) string {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "-I", "-S", "-c", source)
	cmd.Dir = dir
	b, err := cmd.Output()
	said := strings.TrimSpace(string(b))
	switch {
	case strings.HasPrefix(said, "reached"):
		return "reached"
	case said != "":
		return said
	default:
		return fmt.Sprintf("no answer (%v)", err)
	}
}

// layers are what stands around a job of this machine.
func (m *machine) layers(started error) []Layer {
	state := func(name string, err string) Layer {
		if err != "" {
			return Layer{name, Unavailable, err}
		}
		return Layer{Name: name, State: Active}
	}
	why := ""
	if started != nil {
		why = started.Error()
	}
	landlock := why
	if m.landlock == 0 {
		landlock = "the kernel has no Landlock"
	}
	var out []Layer
	for _, name := range []string{"user_namespace", "pid_namespace", "mount_namespace", "network_namespace", "ipc_namespace", "own_root"} {
		out = append(out, off(state(name, why), m.layout.shared()))
	}
	out = append(out, off(state("seccomp", why), !m.layout.filters), off(state("landlock", landlock), !m.layout.filters), state("no_capabilities", why), state("rlimits", why))
	groups := state("cgroups", m.noGroups)
	aggregate := state("aggregate_memory_limit", m.noGroups)
	if m.groupsOff {
		groups.State, aggregate.State = Disabled, Disabled
	}
	out = append(out, groups, aggregate)
	if m.layout.shared() {
		out = append(out, Layer{"disk_limit", Unavailable, "jobs share the host's mounts; only the size of each file is limited"},
			Layer{"hidden_paths", Unavailable, "jobs share the host's mounts; they learn which paths exist"})
	}
	if m.layout.gvisor == nil {
		return append(out, Layer{"gvisor", Disabled, "not asked for (isolation=gvisor)"})
	}
	return append(out, state("gvisor", why), Layer{"leftover_detection", Unavailable, "nobody looks into a kernel of a job's own; what a job leaves behind dies with its namespace"})
}

// off marks a layer that this tier does without.
func off(l Layer, without bool) Layer {
	if without {
		l.State, l.Reason = Disabled, "not used below T2"
		if l.Name == "seccomp" || l.Name == "landlock" {
			l.Reason = "not used at T0"
		}
	}
	return l
}

// observedTier is the tier that the probes bear out.
func (m *machine) observedTier(r *Report, started error) Tier {
	if started != nil {
		return T0 // nothing runs
	}
	for _, p := range r.Probes {
		if !p.Contained {
			return T0
		}
	}
	if m.landlock == 0 && m.layout.gvisor == nil {
		return T0 // T1 to T3 have Landlock in them
	}
	return m.tier
}

// remedies say what to change on the machine.
func remedies(m *machine, started error) []string {
	if m.layout.gvisor != nil {
		return []string{"install runsc of gVisor (gvisor.dev/docs/user_guide/install) where PATH finds it, and see that `runsc do true` runs as this user; or leave isolation=gvisor out"}
	}
	out := hostRemedies(m, started)
	return append(out, below2)
}

func hostRemedies(m *machine, started error) []string {
	var out []string
	for path, r := range map[string]struct{ bad, say string }{
		"/proc/sys/kernel/unprivileged_userns_clone":             {"0", "set kernel.unprivileged_userns_clone=1"},
		"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": {"1", "set kernel.apparmor_restrict_unprivileged_userns=0, or give provenir an AppArmor profile with userns"},
		"/proc/sys/user/max_user_namespaces":                     {"0", "set user.max_user_namespaces above 0"},
	} {
		if b, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(b)) == r.bad {
			out = append(out, r.say)
		}
	}
	if info, err := os.Stat("/proc/self/exe"); started != nil && err == nil && os.Getuid() == 0 && info.Mode().Perm()&1 == 0 {
		out = append(out, "make the provenir binary executable for others (chmod o+x): the sandbox starts it as a user of its own")
	}
	if started != nil && len(out) == 0 {
		out = append(out, "in a container, allow unshare, mount and pivot_root in its seccomp profile; in Kubernetes, set hostUsers: false")
	}
	if m.noGroups != "" && !m.groupsOff {
		out = append(out, "for T3, run as root or delegate the memory and pids controllers (systemd: Delegate=yes, DelegateSubgroup=main)")
	}
	if m.landlock == 0 {
		out = append(out, "start the kernel with lsm=landlock among its security modules")
	}
	return out
}

func kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
}

// languages are those whose tools a job would find.
func (p *Pool) languages(m *machine) []string {
	out := []string{Python}
	for _, l := range languages {
		if _, missing := p.toolchains.find(l.name, &m.root); missing == "" {
			out = append(out, l.name)
		}
	}
	return out
}
