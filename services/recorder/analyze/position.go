package analyze

import (
	"slices"
	"strings"
)

// stepKeys say where a row is, the surest first: a wrapper's own step before one among the metrics.
var stepKeys = []string{"step", "global_step", "_step", "training/global_step", "trainer/global_step", "train/global_step", "progress/step", "iteration"}

// position tells keys that say where a row is or when it was written. They are no metrics: a detector that reads an epoch
// would find that it always grows.
func position(key string) bool {
	if stepRank(key) >= 0 {
		return true
	}
	switch key {
	case "epoch", "timestamp", "_timestamp", "_runtime", "wall_time", "time", "date", "training/epoch", "progress/epoch", "progress/done_frac",
		"progress/batch", "progress/ckpt_step", "run_id", "run", "name", "version", "id", "branch", "stage":
		return true
	}
	return false
}

// stepRank is the place of a key among those of steps; -1 for any other.
func stepRank(key string) int { return slices.Index(stepKeys, key) }

// rowKind is what a row is about.
type rowKind uint8

const (
	trainRow   rowKind = iota
	evalRow            // an evaluation beside a training row of the same step
	summaryRow         // the last row of a run: totals
)

// kindOf tells rows apart that carry the step of a training row and are none: taken for one, they would be a step that
// was repeated with other values.
func kindOf(r *record) rowKind {
	eval, train := 0, 0
	for _, keys := range [][]string{keysOf(r), r.nulls} {
		for _, k := range keys {
			switch {
			case k == "train_runtime" || k == "train_loss" || k == "total_flos":
				return summaryRow
			case strings.HasPrefix(k, "eval_") || strings.HasPrefix(k, "val-") || strings.HasPrefix(k, "eval/") || strings.HasPrefix(k, "val/"):
				eval++
			default:
				train++
			}
		}
	}
	if eval > 0 && train == 0 {
		return evalRow
	}
	return trainRow
}

func keysOf(r *record) []string {
	keys := make([]string, len(r.values))
	for i, v := range r.values {
		keys[i] = v.Key
	}
	return keys
}
