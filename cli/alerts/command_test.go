package alerts

import (
	"bytes"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// Wrong use is told before anything is started.
func TestWrongUse(t *testing.T) {
	for name, args := range map[string][]string{
		"nothing to retry": {"retry"}, "ids and all": {"retry", "1", "--all"}, "a word": {"retry", "x"}, "id 0": {"retry", "0"},
		"a state that is none": {"list", "--state", "lost"}, "unspecified": {"list", "--state", "unspecified"},
	} {
		a := &app.App{Out: t.Output(), Err: t.Output(), Env: func(string) (string, bool) { return "", false }}
		cmd := NewCommand(a)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs(args)
		if err := cmd.ExecuteContext(t.Context()); app.Code(err) != app.CodeUsage {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRow(t *testing.T) {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 4, 1, ' ', 0)
	x := &recorderv1.Alert{Id: 7, Sink: "ops", State: recorderv1.AlertState_ALERT_STATE_DEAD, Tries: 3, Error: "HTTP 400:\nbad\x1b[2J", Configured: true,
		CreateTime: timestamppb.New(time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)), Anomaly: &recorderv1.Anomaly{Kind: "kl_blowup", Run: "r", Step: 9}}
	for i := range 2 {
		if err := row(&app.App{Out: &out, Err: t.Output()}, w, x, i == 0); err != nil {
			t.Fatal(err)
		}
		x.Configured, x.Error = false, ""
	}
	_ = w.Flush()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "ID SINK") || strings.Join(strings.Fields(lines[1]), " ") != "7 ops dead kl_blowup r 9 3 2026-01-02 03:04:05 HTTP 400: bad [2J" ||
		!strings.Contains(lines[2], "dead (no such sink now)") || !strings.HasSuffix(lines[2], " -") {
		t.Errorf("%q", lines)
	}
}
