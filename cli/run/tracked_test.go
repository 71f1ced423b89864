package run

import (
	"bytes"
	"testing"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/provenir/provenir/cli/app"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

func trackedExample() *orchestratorv1.Run {
	at := timestamppb.New(time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local))
	return &orchestratorv1.Run{Uid: "g6h", State: orchestratorv1.RunState_RUN_STATE_FAILED, Spec: &orchestratorv1.RunSpec{DisplayName: "loop"}, CreateTime: at,
		Progress: &orchestratorv1.Progress{Step: 7}, Tracked: &recorderv1.TrackedRun{Name: "loop", Steps: 7, Rollouts: 2}}
}

// What a tracker did not say has no line.
func TestShowOfATrackedRun(t *testing.T) {
	full := trackedExample()
	full.EndTime, full.EventsRoot = timestamppb.New(full.GetCreateTime().AsTime().Add(90*time.Second)), []byte{0xab}
	full.Passport, full.PassportFolder, full.Warnings = "sha256:aa", "/p", []string{"the tracked loop ended with ValueError"}
	full.Tracked = &recorderv1.TrackedRun{Name: "loop", Steps: 7, Rollouts: 2, Sdk: "python/0.1.0", Host: "vm", Method: "grpo", Model: "m", Config: `{"lr":1}`, Privacy: recorderv1.Privacy_PRIVACY_SALTED}
	full.Evaluations = []*evaluatorv1.Evaluation{{Step: 3, Estimates: []*evaluatorv1.Estimate{{Metric: "acc", Value: proto.Float64(0.5), N: 10, Definition: "reported by the caller"}, {Metric: "bad", Definition: "reported by the caller"}}}}
	for _, c := range []struct {
		name string
		run  *orchestratorv1.Run
		want string
	}{
		{"with little", trackedExample(), "run       g6h  loop\nstate     failed\nrecorded  by a tracker: numbers, rewards and evaluations are its caller's\nprogress  7 steps, 2 rollouts\ncreated   2026-01-02 03:04:05\n"},
		{"with all", full, "run       g6h  loop\nstate     failed\nrecorded  by a tracker (provenir python/0.1.0 on vm): numbers, rewards and evaluations are its caller's\n" +
			"method    grpo, as its caller said\nmodel     m, as its caller said\nprogress  7 steps, 2 rollouts\nprivacy   salted: `provenir ledger erase` destroys a group\nconfig    {\"lr\":1}\n" +
			"eval      after step 3: acc 0.500 (n=10), reported by the caller\neval      after step 3: bad not measured (0 rows unscored), reported by the caller\n" +
			"warning   the tracked loop ended with ValueError\ncreated   2026-01-02 03:04:05\ntook      1m30s by the tracker's clock\nroot      ab\npassport  sha256:aa in /p\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			printTracked(&app.App{Out: &out, Err: t.Output()}, c.run)
			got := bytes.ReplaceAll(out.Bytes(), []byte(app.Command()), []byte("provenir"))
			if string(got) != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

func TestRowOfATrackedRun(t *testing.T) {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 4, 1, ' ', 0)
	if err := row(&app.App{Out: &out, Err: t.Output()}, w, trackedExample()); err != nil {
		t.Fatal(err)
	}
	_ = w.Flush()
	if want := "g6h loop tracker - - failed 7 - 2026-01-02 03:04:05\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
