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
}

func (*configMismatch) name() string    { return "config_mismatch" }
func (*configMismatch) kinds() []string { return []string{"config_mismatch"} }
func (*configMismatch) reads() []string { return nil }
func (*configMismatch) state() any      { return &struct{}{} }
func (*configMismatch) reset()          {}

// muted tells that there was nothing to compare: unknown, not clean.
func (d *configMismatch) muted() bool { return !d.compared }

// step speaks once an attempt: what an engine uses does not change within it.
func (*configMismatch) step(f *frame) {
	if f.row > 0 {
		return
	}
	for _, d := range f.profile.differ {
		f.signal(Signal{Kind: "config_mismatch", Metric: d.field, Level: Warn, Need: 1,
			Evidence: Evidence{Note: "declared " + d.declared + ", the engine uses " + d.effective}})
	}
}

type difference struct{ field, declared, effective string }

// compareConfig lists the fields of the loss that differ, sorted. A field that the engine does not report is none.
func compareConfig(declared, effective map[string]string) (out []difference, compared bool) {
	for field, d := range declared {
		e, reported := effective[field]
		if !reported {
			continue
		}
		compared = true
		if changesLoss(field) && !sameSetting(d, e) {
			out = append(out, difference{field, quoted(d), quoted(e)})
		}
	}
	slices.SortFunc(out, func(a, b difference) int { return strings.Compare(a.field, b.field) })
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
