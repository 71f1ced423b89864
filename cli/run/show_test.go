package run

import (
	"bytes"
	"strings"
	"testing"

	"github.com/provenir/provenir/cli/app"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// A run that waits says for what, beside its state: a full disk pauses it, governance that is away is waited for in SEALING,
// and NATS that is away leaves messages in the outbox.
func TestShowOfARunThatWaits(t *testing.T) {
	for _, c := range []struct {
		name string
		run  *orchestratorv1.Run
		want string
	}{
		{"disk", &orchestratorv1.Run{State: orchestratorv1.RunState_RUN_STATE_PAUSED, Progress: &orchestratorv1.Progress{Phase: "training", Waiting: "disk", Stages: 1, StageName: "grpo", StageStep: 3, StageSteps: 9}},
			"run       06e8k  a\nstate     paused training\nwaiting   disk\nprogress  stage 1 of 1 (grpo), step 3 of 9, branch 0, restarts 0\nverifier  code\n"},
		{"governance", &orchestratorv1.Run{State: orchestratorv1.RunState_RUN_STATE_SEALING, Progress: &orchestratorv1.Progress{Phase: "sealing", Waiting: "a role of the mesh: seal the BOM: it is away", Stages: 1, StageName: "grpo"}},
			"run       06e8k  a\nstate     sealing sealing\nwaiting   a role of the mesh: seal the BOM: it is away\nprogress  stage 1 of 1 (grpo), step 0 of 0, branch 0, restarts 0\nverifier  code\n"},
		{"NATS, and warnings", &orchestratorv1.Run{State: orchestratorv1.RunState_RUN_STATE_RUNNING, Warnings: []string{"2 of 4 prompts pass"}, Progress: &orchestratorv1.Progress{Outbox: 7, Resumes: 1}},
			"run       06e8k  a\nstate     running \nprogress  stage 1 of 1 (), step 0 of 0, branch 0, restarts 1\nverifier  code\nwarning   2 of 4 prompts pass\noutbox    7 messages wait for NATS\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.run.Uid, c.run.Spec = "06e8k", &orchestratorv1.RunSpec{DisplayName: "a", Verifier: &verifierv1.Spec{Name: "code"}}
			var out bytes.Buffer
			print(&app.App{Out: &out, Err: t.Output()}, c.run)
			if out.String() != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", out.String(), c.want)
			}
			out.Reset()
			print(&app.App{Out: &out, Err: t.Output(), JSON: true}, c.run)
			if strings.TrimSpace(out.String()) != "" {
				t.Errorf("with --json people's text is printed: %q", out.String())
			}
		})
	}
}
