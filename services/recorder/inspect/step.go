package inspect

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/detect/stat"
	"github.com/provenir/provenir/services/recorder/incident"
)

// The rules and their limits (recorder design 4.5). A window is the rollouts of 5 steps.
const (
	window     = 5
	clearBelow = 0.8 // an incident ends below this share of its limit

	hackedWarn, hackedCritical         = 0.02, 0.10 // lower Wilson bound of the share
	degenerateWarn, degenerateCritical = 0.05, 0.25 // share
	degenerateLeast                    = 20         // rollouts

	followsMax   = 0.5 // rank correlation of reward and length
	followsLeast = 64  // pairs
	reuseMax     = 0.5 // share of rollouts
	reuseLeast   = 16  // rollouts
	growth       = 0.3 // over the attempt's own beginning, for both
)

// baseline is the median of an attempt's first 5 values.
type baseline struct {
	First []float64 `json:"first,omitempty"`
}

func (b *baseline) add(x float64) {
	if len(b.First) < window {
		b.First = append(b.First, x)
	}
}

func (b *baseline) value() (float64, bool) {
	if len(b.First) < window {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(b.First))
	return sorted[window/2], true
}

// stepped ends a step.
func (r *Run) stepped(t *Tools, seq uint64, payload []byte) []incident.Event {
	r.unjudged(t)
	defer r.begin(t)
	r.s.Next = seq + 1
	var rec corev1.StepRecord
	var facts corev1.StepFacts
	if len(payload) == 0 || proto.Unmarshal(payload, &rec) != nil || proto.Unmarshal(rec.GetFacts(), &facts) != nil {
		return nil // the metrics' detectors say so; of which step these rollouts are is not known
	}
	r.span(&facts)
	if r.step.Inspected == 0 && r.s.Totals.Inspected == 0 {
		return nil
	}
	var signals []detect.Signal
	if r.step.Inspected > 0 {
		signals = r.judge(t)
	}
	return r.tracker.Step(incident.Place{Seq: seq, Step: facts.GetStep(), Attempt: facts.GetBranch()}, r.s.Spans, signals)
}

// closed ends the run: rollouts behind the last step count to it. A tracker may log its trajectories when its loop is over.
func (r *Run) closed(t *Tools, seq uint64) []incident.Event {
	r.unjudged(t)
	defer r.begin(t)
	r.s.Next = seq + 1
	if r.step.Inspected == 0 {
		return nil
	}
	return r.tracker.Step(incident.Place{Seq: seq, Step: r.s.Step, Attempt: r.s.Branch}, r.s.Spans, r.judge(t))
}

// unjudged looks at the rollouts that have no verdict.
func (r *Run) unjudged(t *Tools) {
	for _, id := range slices.Sorted(maps.Keys(r.open)) {
		r.inspect(t, r.open[id])
	}
}

// begin makes ready for the next step.
func (r *Run) begin(t *Tools) {
	clear(r.open)
	r.step, r.pairs = tally{}, Step{Rewards: r.pairs.Rewards[:0], Lengths: r.pairs.Lengths[:0]}
	t.clusters.Reset()
}

// span forgets what was learned of another attempt or stage.
func (r *Run) span(f *corev1.StepFacts) {
	same := r.s.Begun && f.GetBranch() == r.s.Branch && f.GetStage() == r.s.Stage && f.GetStep() > r.s.Step
	if !same {
		r.s.Spans++
		r.s.Window, r.s.Length, r.s.Reuse = nil, baseline{}, baseline{}
		r.s.Pairs.Reset()
	}
	r.s.Begun, r.s.Branch, r.s.Stage, r.s.Step = true, f.GetBranch(), f.GetStage(), f.GetStep()
}

// judge turns a step into signals.
func (r *Run) judge(t *Tools) []detect.Signal {
	r.s.Totals.Inspected += r.step.Inspected
	r.s.Totals.Hacked += r.step.Hacked
	if len(r.s.Window) == window {
		r.s.Window = append(r.s.Window[:0], r.s.Window[1:]...)
	}
	r.s.Window = append(r.s.Window, r.step)
	r.pairs = r.s.Pairs.Push(r.pairs)
	var sum tally
	for _, w := range r.s.Window {
		sum.Inspected, sum.Hacked, sum.Degenerate = sum.Inspected+w.Inspected, sum.Hacked+w.Hacked, sum.Degenerate+w.Degenerate
	}
	out := []detect.Signal{hacked(&sum)}
	if sum.Inspected >= degenerateLeast {
		out = append(out, share("degenerate_share", float64(sum.Degenerate)/float64(sum.Inspected), degenerateWarn, degenerateCritical,
			fmt.Sprintf("%d of %d rollouts repeat themselves", sum.Degenerate, sum.Inspected)))
	}
	if rho, n, ok := r.s.Pairs.Spearman(); ok && n >= followsLeast {
		r.s.Related = true
		out = append(out, grown("length_reward_corr", rho, followsMax, &r.s.Length, fmt.Sprintf("rank correlation of reward and length over %d rollouts", n)))
	}
	if reuse, n := t.clusters.Share(); n >= reuseLeast {
		r.s.Shared = true
		out = append(out, grown("template_reuse", reuse, reuseMax, &r.s.Reuse, fmt.Sprintf("share of %d rollouts that are one text, across prompts", n)))
	}
	return slices.DeleteFunc(out, func(s detect.Signal) bool { return slices.Contains(r.s.Off, s.Kind) })
}

func hacked(w *tally) detect.Signal {
	low, high := stat.Wilson(w.Hacked, w.Inspected)
	s := share("hack_rate", low, hackedWarn, hackedCritical, fmt.Sprintf("%d of %d inspected rollouts are hacked, %.1f to %.1f %% at 95 %%; the value is the lower bound",
		w.Hacked, w.Inspected, 100*low, 100*high))
	return s
}

// share judges a value by two limits.
func share(kind string, x, warn, critical float64, note string) detect.Signal {
	s := detect.Signal{Kind: kind, Clear: x <= clearBelow*warn, Evidence: detect.Evidence{Value: x, HasValue: true, Limit: warn, HasLimit: true, Note: note}}
	switch {
	case x > critical:
		s.Level, s.Evidence.Limit = detect.Critical, critical
	case x > warn:
		s.Level = detect.Warn
	}
	return s
}

// grown judges a value that must be high and higher than it was: a task may be such that long answers are right.
func grown(kind string, x, limit float64, b *baseline, note string) detect.Signal {
	s := detect.Signal{Kind: kind, Clear: x <= clearBelow*limit, Evidence: detect.Evidence{Value: x, HasValue: true, Limit: limit, HasLimit: true, Note: note}}
	base, ready := b.value()
	if !ready {
		b.add(x)
		return s
	}
	s.Evidence.Baseline, s.Evidence.HasBaseline = base, true
	s.Clear = s.Clear || x <= base+clearBelow*growth
	if x > limit && x > base+growth {
		s.Level = detect.Warn
	}
	return s
}

// Unchecked lists the kinds of which nothing can be said, because no rollouts, or too few, were seen.
func (r *Run) Unchecked() []string {
	var out []string
	for _, k := range detect.OfRollouts() {
		switch {
		case slices.Contains(r.s.Off, k):
			out = append(out, k)
		case k == "length_reward_corr" && r.s.Related, k == "template_reuse" && r.s.Shared:
		case (k == "hack_rate" || k == "degenerate_share") && r.s.Totals.Inspected > 0:
		default:
			out = append(out, k)
		}
	}
	return out
}
