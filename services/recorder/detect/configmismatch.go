package detect

import (
	"slices"
	"strconv"
	"strings"
)

// lossFields are settings that change what is learned, by the last part of their name in any engine. Others, such as
// where checkpoints go, may differ from what was declared without a word.
var lossFields = []string{
	"beta", "kl_coef", "kl_coefficient", "kl_loss_coef", "entropy_coeff", "loss", "loss_type", "loss_agg_mode", "adv_estimator", "advantage_estimator",
	"scale_rewards", "norm_adv_by_std_in_grpo", "epsilon", "epsilon_high", "epsilon_low", "clip_ratio", "clip_ratio_low", "clip_ratio_high",
	"cliprange", "delta", "gamma", "lam", "learning_rate", "lr", "lr_scheduler_type", "warmup_steps", "warmup_ratio", "weight_decay", "max_grad_norm",
	"num_iterations", "ppo_epochs", "num_generations", "group_size", "per_device_train_batch_size", "gradient_accumulation_steps",
	"train_batch_size", "ppo_mini_batch_size", "temperature", "top_p", "top_k", "min_p", "max_completion_length", "max_response_length",
	"mask_truncated_completions", "importance_sampling_level", "reward_weights", "seed", "sync_ref_model",
}

// configMismatch tells which settings the engine does not use as they were declared. Frameworks patch each other's
// defaults: what was written down is then not what ran.
type configMismatch struct {
	compared bool // by the profile, no state: some setting was both declared and reported
	S        struct {
		Told   bool         `json:"told,omitempty"`   // the run says what its engine uses
		Fresh  bool         `json:"fresh,omitempty"`  // since the last step
		Differ []Difference `json:"differ,omitempty"` // newest
	}
}

func (*configMismatch) name() string    { return "config_mismatch" }
func (*configMismatch) kinds() []string { return []string{"config_mismatch"} }
func (*configMismatch) reads() []string { return nil }
func (d *configMismatch) state() any    { return &d.S }
func (*configMismatch) reset()          {} // what was told stands until something else is

// muted tells that there was nothing to compare: unknown, not clean.
func (d *configMismatch) muted() bool { return !d.compared && !d.S.Told }

// step speaks once an attempt: what an engine uses does not change within it.
func (d *configMismatch) step(f *frame) {
	if f.row > 0 && !d.S.Fresh {
		return
	}
	d.S.Fresh = false
	for _, differ := range [][]Difference{f.profile.differ, d.S.Differ} {
		for _, x := range differ {
			f.signal(Signal{Kind: "config_mismatch", Metric: x.Field, Level: Warn, Need: 1,
				Evidence: Evidence{Note: "declared " + quoted(x.Declared) + ", the engine uses " + quoted(x.Effective)}})
		}
	}
}

// Difference is a setting that the engine does not use as it was declared.
type Difference struct {
	Field     string `json:"field"`
	Declared  string `json:"declared"`
	Effective string `json:"effective"`
}

// Configured takes what a run says of its engine's settings: the differences, of which those that change the loss count.
func (e *Engine) Configured(differ []Difference) {
	for _, x := range e.detectors {
		d, ok := x.(*configMismatch)
		if !ok {
			continue
		}
		d.S.Told, d.S.Fresh, d.S.Differ = true, true, nil
		for _, x := range differ {
			if x.Declared != "" && changesLoss(x.Field) && !sameSetting(x.Declared, x.Effective) && len(d.S.Differ) < len(lossFields) {
				d.S.Differ = append(d.S.Differ, x)
			}
		}
		slices.SortStableFunc(d.S.Differ, func(a, b Difference) int { return strings.Compare(a.Field, b.Field) })
	}
}

// compareConfig lists the fields of the loss that differ, sorted. A field that the engine does not report is none.
func compareConfig(declared, effective map[string]string) (out []Difference, compared bool) {
	for field, d := range declared {
		e, reported := effective[field]
		if !reported {
			continue
		}
		compared = true
		if changesLoss(field) && !sameSetting(d, e) {
			out = append(out, Difference{field, d, e})
		}
	}
	slices.SortFunc(out, func(a, b Difference) int { return strings.Compare(a.Field, b.Field) })
	return out, compared
}

func changesLoss(field string) bool {
	return slices.Contains(lossFields, strings.ToLower(field[strings.LastIndexAny(field, "./")+1:]))
}

// sameSetting compares as settings mean it: 1e-6 is 0.000001, True is true, and none is what null is.
func sameSetting(a, b string) bool {
	a, b = strings.ToLower(strings.TrimSpace(a)), strings.ToLower(strings.TrimSpace(b))
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	if err1 == nil && err2 == nil {
		return x == y
	}
	return a == b || unsetWord(a) && unsetWord(b)
}

func unsetWord(s string) bool { return s == "" || s == "none" || s == "null" }

// quoted keeps a value to what fits a line.
func quoted(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}
