package doctor

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/recorder/detect"
)

func ptr[T any](v T) *T { return &v }

func ramp(n int, from, slope float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = from + slope*float64(i)
	}
	return out
}

func open(kind string, at uint64) Incident { return Incident{Kind: kind, Onset: &at} }

func TestDiagnose(t *testing.T) {
	up, flat, down := ramp(30, 0.2, 0.01), ramp(30, 0.4, 0), ramp(30, 0.8, -0.01)
	for _, c := range []struct {
		name               string
		in                 Input
		category, decision string
	}{
		{"nothing", Input{}, Insufficient, "insufficient_evidence"},
		{"one value", Input{Rewards: []float64{0.3}}, Insufficient, "insufficient_evidence"},
		{"the top", Input{Rewards: []float64{1, 1, 1, 1, 1}}, None, "raise_difficulty"},
		{"rising", Input{Rewards: up}, None, "continue"},
		{"flat", Input{Rewards: flat}, Data, "collect_data"},
		{"falling", Input{Rewards: down}, Data, "collect_data"},
		{"flat and old", Input{Rewards: flat, AgeDays: ptr(200.0)}, Data, "collect_data"},
		{"contaminated", Input{Rewards: up, Contamination: ptr(0.01)}, Eval, "clean_eval"},
		{"contaminated, flat and failing slices", Input{Rewards: flat, Contamination: ptr(0.01), AgeDays: ptr(400.0), Slices: []Slice{{Name: "a", Failures: 90, Support: 100}}}, Eval, "clean_eval"},
		{"channels disagree", Input{Rewards: up, Heldout: down}, Eval, "clean_eval"},
		{"channels disagree because it is hacked", Input{Rewards: up, Heldout: down, Incidents: []Incident{open("proxy_divergence", 5)}}, Reward, "fix_reward"},
		{"hacked", Input{Rewards: up, HackingRate: ptr(0.4), Inspected: ptr(uint64(200))}, Reward, "fix_reward"},
		{"hacked, of unknown rows", Input{Rewards: up, HackingRate: ptr(0.4)}, Reward, "fix_reward"},
		{"one of two rows", Input{Rewards: up, HackingRate: ptr(0.5), Inspected: ptr(uint64(2))}, None, "continue"},
		{"NaN rewards", Input{Rewards: []float64{math.NaN(), math.NaN(), math.NaN()}}, Reward, "fix_reward"},
		{"NaN among rising ones", Input{Rewards: append(ramp(30, 0.2, 0.01), math.NaN())}, Reward, "fix_reward"},
		{"entropy", Input{Rewards: flat, Incidents: []Incident{open("entropy_collapse", 3)}}, Algorithm, "stabilize"},
		{"no signal", Input{Rewards: flat, Incidents: []Incident{open("zero_signal", 3)}}, Algorithm, "stabilize"},
		{"outage, then no signal", Input{Rewards: down, Incidents: []Incident{open("zero_signal", 9), open("reward_outage", 8)}}, Reward, "fix_reward"},
		{"no signal, and an outage later", Input{Rewards: flat, Incidents: []Incident{open("zero_signal", 3), open("ratio_insane", 1), open("config_mismatch", 1)}}, Engine, "fix_engine"},
		{"a log-prob bug that ends in gradients", Input{Rewards: flat, Incidents: []Incident{open("ratio_insane", 1), open("grad_explosion", 4), open("kl_blowup", 6)}}, Engine, "fix_engine"},
		{"a warning in a run that rises", Input{Rewards: up, Incidents: []Incident{{Kind: "entropy_drift", Warn: true}}}, None, "continue"},
		{"a note", Input{Incidents: []Incident{{Kind: "reward_spike"}}}, Insufficient, "insufficient_evidence"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := Diagnose(c.in)
			if err != nil || d.Category != c.category || d.Decision != c.decision || d.Action == "" {
				t.Fatalf("%s, %s, %v: %+v", d.Category, d.Decision, err, d.Causes)
			}
			if (d.Request != nil) != (d.Decision == "collect_data") {
				t.Errorf("data request %+v", d.Request)
			}
			if d.Category == Insufficient != (d.Confidence == 0) || d.Confidence > 1 {
				t.Errorf("confidence %g", d.Confidence)
			}
		})
	}
}

// A chain of incidents is told as one: each names the one before it, and the first has the weight.
func TestOnsetExplains(t *testing.T) {
	d, err := Diagnose(Input{Rewards: ramp(30, 0.4, 0), Incidents: []Incident{open("entropy_collapse", 20), open("kl_blowup", 15), open("mismatch_kl", 5), open("grad_explosion", 10)}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range d.Causes {
		got[c.Kind] = c.ExplainedBy
		if c.ExplainedBy != "" && c.Weight != 0 {
			t.Errorf("%s is explained and weighs %g", c.Kind, c.Weight)
		}
	}
	if d.Causes[0].Kind != "mismatch_kl" || got["grad_explosion"] != "mismatch_kl" || got["entropy_collapse"] != "mismatch_kl" || got["mismatch_kl"] != "" || !strings.Contains(d.Action, "tim-check") {
		t.Errorf("%v, %s", got, d.Action)
	}
	d, err = Diagnose(Input{Incidents: []Incident{open("entropy_collapse", 2), open("mismatch_kl", 5)}})
	if err != nil || d.Causes[0].ExplainedBy != "" || d.Causes[1].ExplainedBy != "" {
		t.Errorf("what came first was explained by what came later: %+v, %v", d.Causes, err)
	}
}

func TestDataRequest(t *testing.T) {
	d, err := Diagnose(Input{Rewards: ramp(30, 0.4, 0), AgeDays: ptr(200.0), Slices: []Slice{
		{Name: "source=web", Failures: 60, Support: 100}, {Name: "thin", Failures: 5, Support: 5, Thin: true}, {Name: "fine", Failures: 10, Support: 100}}})
	if err != nil || d.Request == nil || len(d.Request.Slices) != 1 || d.Request.Slices[0] != "source=web" || d.Request.RowsPerSlice != 50 || *d.Request.FreshnessDays != 180 {
		t.Errorf("%+v, %v", d.Request, err)
	}
	d, err = Diagnose(Input{Rewards: ramp(30, 0.4, 0), Limits: map[string]float64{"min_examples_per_slice": 7}})
	if err != nil || d.Request.Slices[0] != "overall" || d.Request.RowsPerSlice != 7 || d.Request.FreshnessDays != nil {
		t.Errorf("%+v, %v", d.Request, err)
	}
}

func TestRefused(t *testing.T) {
	for field, in := range map[string]Input{
		"hacking_rate": {HackingRate: ptr(1.5)}, "contamination_rate": {Contamination: ptr(math.NaN())}, "data_age_days": {AgeDays: ptr(-1.0)},
		"reward_range": {Span: -1}, "anomalies": {Incidents: []Incident{{Kind: "entropy_colapse"}}}, "hacking_inspected": {HackingRate: ptr(0.0), Inspected: ptr(uint64(0))},
		"slices[0]": {Slices: []Slice{{Name: "a", Failures: 2, Support: 1}}}, "limits.nope": {Limits: map[string]float64{"nope": 1}},
		"limits.plateau_window": {Limits: map[string]float64{"plateau_window": 1}}, "limits.hacking_rate_max": {Limits: map[string]float64{"hacking_rate_max": 2}},
		"limits.stale_data_days": {Limits: map[string]float64{"stale_data_days": math.NaN()}},
	} {
		_, err := Diagnose(in)
		var bad *InputError
		if !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// Every family has a weight, and every category a bias: a new kind without one would silently count for nothing.
func TestEveryFamilyIsFitted(t *testing.T) {
	biases, weights := Fitted()
	for _, f := range Families() {
		if weights[f] < 0.1 || CategoryOf(f) == "" {
			t.Errorf("family %s has the weight %g", f, weights[f])
		}
	}
	for _, c := range Categories() {
		if _, ok := biases[c]; !ok {
			t.Errorf("category %s has no bias", c)
		}
	}
	for _, k := range detect.Kinds() {
		if !Known(k) {
			t.Errorf("the detectors raise %s, which the doctor does not know", k)
		}
	}
	for from := range edges {
		if _, ok := weights[from]; !ok && !Known(from) {
			t.Errorf("an edge leaves %s, which is neither family nor kind", from)
		}
	}
}

// Whatever is asked, there is one category with its decision, or an error that names a field.
func FuzzDiagnose(f *testing.F) {
	f.Add([]byte{1, 2, 3}, 0.1, 0.2, uint8(3))
	f.Fuzz(func(t *testing.T, raw []byte, a, b float64, kind uint8) {
		if len(raw) > 300 {
			return
		}
		in := Input{HackingRate: &a, Contamination: &b, Incidents: []Incident{{Kind: Kinds()[int(kind)%len(Kinds())]}}}
		for _, x := range raw {
			v := float64(x) / 255
			if x == 255 {
				v = math.NaN()
			}
			in.Rewards = append(in.Rewards, v)
		}
		d, err := Diagnose(in)
		if err == nil && (d.Category == "" || d.Decision == "" || math.IsNaN(d.Confidence) || d.Confidence < 0 || d.Confidence > 1) {
			t.Errorf("%+v", d)
		}
	})
}
