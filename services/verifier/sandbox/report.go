package sandbox

// State of a layer.
type State string

// The states.
const (
	Active      State = "active"
	Unavailable State = "unavailable"
	Disabled    State = "disabled"
)

// Layer is one thing that stands between a job and the host.
type Layer struct {
	Name   string `json:"name"`
	State  State  `json:"state"`
	Reason string `json:"reason,omitempty"` // why it is not active
}

// Probe is an attack that was really run.
type Probe struct {
	Name      string `json:"name"`
	Expected  string `json:"expected"`
	Observed  string `json:"observed"`
	Contained bool   `json:"contained"`
}

// Report is what a machine offers, from what was observed on it.
type Report struct {
	Tier         Tier     `json:"tier"`
	MinTier      Tier     `json:"min_tier"`
	Layers       []Layer  `json:"layers"`
	Probes       []Probe  `json:"probes"`
	Kernel       string   `json:"kernel"`
	CgroupMode   string   `json:"cgroup_mode"` // v1, v2, hybrid or none
	Interpreters []string `json:"interpreters"`
	Languages    []string `json:"languages"`
	Remedies     []string `json:"remedies,omitempty"`
}

// Layer finds a layer by name.
func (r *Report) Layer(name string) (Layer, bool) {
	for _, l := range r.Layers {
		if l.Name == name {
			return l, true
		}
	}
	return Layer{}, false
}
