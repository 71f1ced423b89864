package analyze

import (
	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/services/recorder/detect"
)

// OptionsOf reads the contract's header.
func OptionsOf(h *recorderv1.LogHeader) Options {
	c := detect.Config{
		Method: h.GetMethod(), Beta: h.KlCoefficient, Limits: h.GetLimits(), Disabled: h.GetDisabled(), RewardRange: h.RewardRange,
		Model: h.GetModel(), Declared: h.GetDeclared(), Effective: h.GetEffective(),
	}
	fill(&c)
	return Options{Engine: h.GetEngine(), Roles: Roles{Proxy: h.GetProxy(), Heldout: h.GetHeldout()}, Detect: c}
}

// Proto is the verdict as the contract has it.
func (v Verdict) Proto() *recorderv1.LogVerdict {
	out := &recorderv1.LogVerdict{
		Verdict: string(v.Verdict), Worst: corev1.Severity(v.Worst), FirstOnset: v.FirstOnset,
		Roles: &recorderv1.LogRoles{Proxy: v.Roles.Proxy, Heldout: v.Roles.Heldout}, Engine: v.Engine, Method: v.Method,
		Attempts: v.Attempts, Unchecked: v.Unchecked, Rows: v.Rows, Steps: v.Steps, Problems: v.Problems, Notes: v.Notes,
	}
	for _, i := range v.Incidents {
		out.Incidents = append(out.Incidents, &recorderv1.LogIncident{Uid: i.UID, Kind: i.Kind, Metric: i.Metric, Severity: corev1.Severity(i.Severity),
			OnsetStep: i.Onset, OpenedStep: i.Opened, ResolvedStep: i.Resolved, Attempt: i.Attempt, Detail: i.Detail, Flaps: i.Flaps})
	}
	return out
}
