// Package verify is `provenir verify`: verdicts over a file of rows.
package verify

import (
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/cli/batch"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

type options struct {
	batch.Options
	spec  string
	check bool
}

// NewCommand is the verb.
func NewCommand(a *app.App) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use: "verify --spec SPEC --in F", Short: "Score responses in a batch",
		Long:    "Reads rows with id, response and what the spec needs (reference, …), writes one JSON line a row in input order.",
		Example: "  provenir verify --spec math --in rows.jsonl\n  provenir verify --spec 'math:profile=last_boxed,float_rounding=6' --in - --out verdicts.jsonl",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), a) },
	}
	o.Bind(cmd, "{id, response, reference, …}")
	f := cmd.Flags()
	f.StringVar(&o.spec, "spec", "", "name, name:option=value,… (option=@FILE reads a file), or a YAML file; a row may name its own in the column spec")
	f.BoolVar(&o.check, "check-tasks", false, "judge each row's own reference (must pass) and an empty answer (must fail)")
	f.BoolVar(&a.Unsandboxed, "allow-unsandboxed", false, "run programs below isolation tier 2 where the machine offers no more; each line says its tier")
	return cmd
}

// line is a row of the output; reward and passed exist only when scored.
type line struct {
	ID        string    `json:"id"`
	Status    string    `json:"status,omitempty"`
	Passed    *bool     `json:"passed,omitempty"`
	Reward    *float64  `json:"reward,omitempty"`
	Verifier  string    `json:"verifier,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Detail    string    `json:"detail,omitempty"`
	Extracted string    `json:"extracted,omitempty"`
	Findings  []finding `json:"findings,omitempty"`
	Duration  *int64    `json:"duration_us,omitempty"`
	TaskOK    *bool     `json:"task_ok,omitempty"`
	HeldOut   *heldout  `json:"heldout,omitempty"`
	*execution
	Error *lineError `json:"error,omitempty"`
}

// heldout is the verdict of the row's hidden tests.
type heldout struct {
	Passed bool    `json:"passed"`
	Reward float64 `json:"reward"`
	Reason string  `json:"reason"`
}

// execution is what running code did and took.
type execution struct {
	Limit       string   `json:"limit,omitempty"`
	Tamper      []string `json:"tamper,omitempty"`
	TestsRun    uint32   `json:"tests_run"`
	TestsPassed uint32   `json:"tests_passed"`
	Stdout      string   `json:"stdout,omitempty"`
	Stderr      string   `json:"stderr,omitempty"`
	WallMS      float64  `json:"wall_ms"`
	CPUMS       float64  `json:"cpu_ms"`
	MaxRSSMB    float64  `json:"max_rss_mb"`
	Isolation   string   `json:"isolation"`
}

type finding struct {
	Kind     string `json:"kind"`
	Severity string `json:"severity"`
	Detail   string `json:"detail,omitempty"`
}

type lineError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Line    int    `json:"line"`
}

func answer(r row, m *verifierv1.VerifyBatchResponse) line {
	l := line{ID: r.id, TaskOK: m.TaskOk}
	if e := m.GetError(); e != nil {
		l.Error = &lineError{e.GetCode(), e.GetMessage(), r.line}
		return l
	}
	v := m.GetVerdict()
	l.Verifier, l.Reason, l.Extracted = v.GetVerifier(), v.GetReason(), v.GetExtracted()
	if t := m.GetMeasured().GetTook(); t != nil {
		us := t.AsDuration().Microseconds()
		l.Duration = &us
	}
	if sc := v.GetScored(); sc != nil {
		l.Status, l.Passed, l.Reward = "scored", &sc.Passed, &sc.Reward
	} else {
		l.Status = "unscored"
		l.Reason = lower(v.GetUnscored().GetReason().String(), "UNSCORED_REASON_")
		l.Detail = v.GetUnscored().GetDetail()
	}
	if sc := m.GetHeldout().GetScored(); sc != nil {
		l.HeldOut = &heldout{sc.GetPassed(), sc.GetReward(), m.GetHeldout().GetReason()}
	}
	if e := v.GetExecution(); e != nil {
		run := m.GetMeasured()
		l.execution = &execution{
			Limit: e.GetLimit(), Tamper: e.GetTamper(), TestsRun: e.GetTestsRun(), TestsPassed: e.GetTestsPassed(),
			Stdout: strings.ToValidUTF8(string(run.GetStdout()), "\uFFFD"), Stderr: strings.ToValidUTF8(string(run.GetStderr()), "\uFFFD"),
			WallMS: float64(run.GetWall().AsDuration().Microseconds()) / 1e3, CPUMS: float64(run.GetCpu().AsDuration().Microseconds()) / 1e3,
			MaxRSSMB:  math.Round(float64(run.GetMaxRssBytes())/(1<<20)*100) / 100,
			Isolation: fmt.Sprintf("T%d", e.GetTier()),
		}
	}
	for _, f := range v.GetFindings() {
		l.Findings = append(l.Findings, finding{f.GetKind(), lower(f.GetSeverity().String(), "SEVERITY_"), f.GetDetail()})
	}
	return l
}

func lower(s, prefix string) string { return strings.ToLower(strings.TrimPrefix(s, prefix)) }
