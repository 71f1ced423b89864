package sandbox

// rootPlan is everything that a job can see of the file system beside its /box.
type rootPlan struct {
	Trees   []string          `json:"trees"`   // shown read-only at their own paths
	Links   map[string]string `json:"links"`   // symbolic links: path to target
	Devices []string          `json:"devices"` // of /dev
}

func (p *rootPlan) devicePaths() []string {
	out := make([]string, len(p.Devices))
	for i, d := range p.Devices {
		out[i] = "/dev/" + d
	}
	return out
}
