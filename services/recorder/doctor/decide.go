package doctor

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// Diagnosis has exactly one category and one decision.
type Diagnosis struct {
	Category, Decision, Action string
	Confidence                 float64 // posterior of the category; 0 for insufficient, of which there is none
	Causes                     []Cause // strongest first
	Trend, HeldoutTrend        Trend
	Request                    *DataRequest
	Missing, Findings          []string
}

// Diagnose weighs the evidence. The error is an *InputError.
func Diagnose(in Input) (Diagnosis, error) {
	var d Diagnosis
	g, err := gather(&in, &d)
	if err != nil {
		return Diagnosis{}, err
	}
	d.Findings, d.Missing, d.Causes = g.findings, g.missing, g.causes
	d.Category, d.Confidence = judge(d.Causes)
	slices.SortStableFunc(d.Causes, func(a, b Cause) int { return cmp.Compare(b.Weight, a.Weight) })
	d.decide(&in)
	return d, nil
}

// Sizes is the evidence that the model weighs: by family, how strong it is where nothing explains it. Fitting needs it.
func Sizes(in Input) (map[string]float64, error) {
	g, err := gather(&in, &Diagnosis{})
	if err != nil {
		return nil, err
	}
	return g.sizes, nil
}

func gather(in *Input, d *Diagnosis) (*gathering, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	least := int(in.limit("plateau_window"))
	d.Trend, d.HeldoutTrend = TrendOf(in.Rewards, in.span(), least), TrendOf(in.Heldout, in.span(), least)
	g := &gathering{in: in}
	g.incidents()
	g.measured()
	g.series(&d.Trend, &d.HeldoutTrend)
	g.explain()
	return g, nil
}

// judge gives the category with the most log-odds and its posterior. Only a category with evidence can be chosen, data only
// where nothing but the trend and the data themselves is left, and contamination wins over data.
func judge(causes []Cause) (string, float64) {
	scores := map[string]float64{}
	has := map[string]bool{}
	for _, c := range categories {
		scores[c] = biases[c]
	}
	for i := range causes {
		c := &causes[i]
		scores[c.Category] += c.Weight
		has[c.Category] = has[c.Category] || c.Weight > 0
	}
	best := ""
	for _, c := range categories {
		if has[c] && (best == "" || scores[c] > scores[best]) {
			best = c
		}
	}
	if best == Data && slices.ContainsFunc(causes, func(c Cause) bool { return c.Kind == kindContamination }) {
		best = Eval
	}
	if best == "" {
		return Insufficient, 0
	}
	sum := 0.0
	for _, c := range categories {
		sum += math.Exp(scores[c] - scores[best])
	}
	return best, 1 / sum
}

func (d *Diagnosis) decide(in *Input) {
	switch d.Category {
	case Eval:
		d.Decision, d.Action = "clean_eval", "Take the contaminated rows out of the evaluation, or make the two rewards measure the same, before any score is believed."
	case Reward:
		d.Decision, d.Action = "fix_reward", "Mend the reward before training on: what is paid is not what is wanted, or it is not there."
	case Algorithm:
		d.Decision, d.Action = "stabilize", stabilizing(d.Causes)
	case Engine:
		d.Decision, d.Action = "fix_engine", "Mend the engine or its settings and go back to the last checkpoint before the onset; the policy is not to blame."
	case Data:
		d.Decision, d.Action = "collect_data", "Collect the rows that the request names; nothing else explains why the reward does not grow."
		d.Request = request(in)
	case None:
		d.Decision, d.Action = "continue", "Go on; nothing speaks against this run."
		if d.Trend.Verdict == Ceiling {
			d.Decision, d.Action = "raise_difficulty", "Raise the difficulty of the tasks: these are solved."
		}
	default:
		d.Decision, d.Action = "insufficient_evidence", "Log what is missing and ask again: this is too little to say anything."
	}
}

// stabilizing is what to do about the strongest cause of the algorithm.
func stabilizing(causes []Cause) string {
	for i := range causes {
		if causes[i].Category != Algorithm || causes[i].Weight == 0 {
			continue
		}
		switch causes[i].family {
		case "signal":
			return "Turn on dynamic sampling (drop groups whose rewards are all equal) or choose tasks of middle difficulty: groups give no signal."
		case "mismatch":
			return "Bring the sampling and the training engine together (provenir tim-check), or correct by importance weights."
		case "entropy":
			return "Keep exploration alive: raise the upper clip bound or the entropy bonus, and go back to a checkpoint before the onset."
		case "kl", "grad", "clip":
			return "Lower the learning rate or raise the KL coefficient, clip gradients, and go back to a checkpoint before the onset."
		case "length":
			return "Bound the length: give more tokens or penalise overlong answers, and mask truncated rows."
		}
	}
	return "Stabilise the algorithm and go back to a checkpoint before the onset."
}

// Fitted gives the model: a bias for each category and a weight for each family.
func Fitted() (biasOf, weightOf map[string]float64) { return maps.Clone(biases), maps.Clone(weights) }
