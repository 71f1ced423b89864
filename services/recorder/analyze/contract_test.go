package analyze_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/services/recorder/analyze"
	"github.com/provenir/provenir/services/recorder/detect"
)

func TestHeader(t *testing.T) {
	h := &recorderv1.LogHeader{Engine: "trl", Method: "grpo", Proxy: "p", Heldout: "h", KlCoefficient: proto.Float64(0.04), RewardRange: proto.Float64(100),
		Model: "Qwen/Qwen3-4B", Limits: map[string]float64{"kl_max": 1}, Disabled: []string{"kl_creep"},
		Declared: map[string]string{"beta": "0.04"}, Effective: map[string]string{"beta": "0.001", "num_iterations": "2", "vllm.top_p": "0.9"}}
	o := analyze.OptionsOf(h)
	c := o.Detect
	if o.Engine != "trl" || o.Roles != (analyze.Roles{Proxy: "p", Heldout: "h"}) || c.Method != "grpo" || *c.Beta != 0.04 || *c.RewardRange != 100 ||
		c.Model != h.Model || c.Limits["kl_max"] != 1 || !slices.Equal(c.Disabled, h.Disabled) || c.Declared["beta"] != "0.04" || c.Effective["beta"] != "0.001" {
		t.Errorf("options %+v", o)
	}
	if c.NumIterations == nil || *c.NumIterations != 2 || !c.TruncatedSampling {
		t.Errorf("the engine's own settings were not read: %+v", c)
	}
}

func TestHeaderSaysNothing(t *testing.T) {
	for name, effective := range map[string]map[string]string{
		"nothing": nil, "words": {"beta": "auto", "num_iterations": "many", "top_p": "x"}, "all tokens": {"top_p": "1.0", "top_k": "-1"},
		"half an iteration": {"num_iterations": "0.5"}, "two that differ": {"a.beta": "1", "b.beta": "2"}, "no number": {"beta": "NaN"}, "negative": {"beta": "-1"},
	} {
		c := analyze.OptionsOf(&recorderv1.LogHeader{Effective: effective}).Detect
		if c.Beta != nil || c.NumIterations != nil || c.TruncatedSampling {
			t.Errorf("%s: %+v", name, c)
		}
	}
	c := analyze.OptionsOf(&recorderv1.LogHeader{Effective: map[string]string{"beta": "0"}}).Detect
	if c.Beta == nil || *c.Beta != 0 {
		t.Error("a KL term that is off was not taken from the engine's settings")
	}
}

func TestHeaderRefused(t *testing.T) {
	for field, h := range map[string]*recorderv1.LogHeader{
		"reward_range": {RewardRange: proto.Float64(-1)}, "kl_coefficient": {KlCoefficient: proto.Float64(-1)},
		"limits.window": {Limits: map[string]float64{"window": 1}}, "disabled": {Disabled: []string{"nothing"}},
	} {
		var e *detect.ConfigError
		if _, err := analyze.New(analyze.OptionsOf(h)); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// What was declared and what the engine used is compared for a log as for a live run.
func TestDeclaredAndEffective(t *testing.T) {
	rows := series(10, func(i int) string { return fmt.Sprintf(`{"step":%d,"kl":0.02,"entropy":1.4}`, i) })
	o := analyze.OptionsOf(&recorderv1.LogHeader{Declared: map[string]string{"beta": "0.04", "loss_type": "dapo"},
		Effective: map[string]string{"beta": "0.001", "loss_type": "dapo"}})
	v, _ := log(t, o, rows...)
	if !slices.Equal(kinds(v), []string{"config_mismatch"}) || v.Incidents[0].Metric != "beta" || !strings.Contains(v.Incidents[0].Detail, "0.001") {
		t.Errorf("incidents %+v", v.Incidents)
	}
	if v, _ := log(t, analyze.Options{}, rows...); !slices.Contains(v.Unchecked, "config_mismatch") {
		t.Errorf("unchecked %v", v.Unchecked)
	}
}
