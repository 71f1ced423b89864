//go:build linux

package sandbox

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestReport(t *testing.T) {
	tiers(t, func(t *testing.T, p *Pool) {
		r, err := p.Report(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if r.Tier != p.cfg.MaxTier || len(r.Probes) != len(probes) || r.Kernel == "" || len(r.Interpreters) != 1 || len(r.Languages) == 0 {
			t.Errorf("%+v", r)
		}
		for _, probe := range r.Probes {
			t.Logf("%-16s %v: %s", probe.Name, probe.Contained, probe.Observed)
			if !probe.Contained {
				t.Errorf("%s was not contained: %s", probe.Name, probe.Observed)
			}
		}
		aggregate, _ := r.Layer("aggregate_memory_limit")
		if (aggregate.State == Active) != (r.Tier == T3) {
			t.Errorf("aggregate memory limit at %v: %+v", r.Tier, aggregate)
		}
	})
}

func TestProbeSeesWhatGetsThrough(t *testing.T) {
	reached := &Result{Stdout: []byte("reached: 7\n")}
	silent := &Result{}
	for i := range probes {
		for name, r := range map[string]*Result{"reached": reached, "silent": silent} {
			if v := probes[i].verdict(r, false, ""); v.Contained {
				t.Errorf("%s counts as contained when it is %s", probes[i].name, name)
			}
		}
		refused := &Result{Stdout: []byte("refused: no"), ExitCode: 1}
		if v := probes[i].verdict(refused, false, ""); !v.Contained {
			t.Errorf("%s does not count as contained when it is refused", probes[i].name)
		}
		if v := probes[i].verdict(refused, true, ""); v.Contained == (probes[i].grouped != NoLimit) {
			t.Errorf("%s in a group that saw nothing: %+v", probes[i].name, v)
		}
	}
}

func TestBelowTheMinimumNothingRuns(t *testing.T) {
	p, err := New(Config{MinTier: T3, MaxTier: T2}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	_, err = p.Run(t.Context(), Job{Source: "print(1)"})
	var refused *IsolationError
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want an IsolationError", err)
	}
	if refused.Report.Tier >= T3 || !strings.Contains(err.Error(), "T3 is the minimum") {
		t.Errorf("%v", err)
	}
}

func TestSelfTestIsQuick(t *testing.T) {
	begun := time.Now()
	p := pool(t, Config{})
	t.Logf("first job, self-test and start included: %v (%v)", time.Since(begun).Round(time.Millisecond), p.machine.tier)
}
