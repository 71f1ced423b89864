package ledger

import (
	"bytes"
	"strings"
	"testing"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// Held is no failure, blocked is one.
func TestJudgeRetention(t *testing.T) {
	state := func(s recorderv1.RetentionState) *recorderv1.RunRetention { return &recorderv1.RunRetention{State: s} }
	held, gone, stays := state(recorderv1.RetentionState_RETENTION_STATE_HELD), state(recorderv1.RetentionState_RETENTION_STATE_RETIRED), state(recorderv1.RetentionState_RETENTION_STATE_BLOCKED)
	for _, tt := range []struct {
		runs []*recorderv1.RunRetention
		code int
	}{{nil, 0}, {[]*recorderv1.RunRetention{held, gone}, 0}, {[]*recorderv1.RunRetention{gone, stays}, 1}} {
		if code := app.Code(judgeRetention(tt.runs)); code != tt.code {
			t.Errorf("%v: exit %d, want %d", tt.runs, code, tt.code)
		}
	}
}

func TestShowRetention(t *testing.T) {
	var out bytes.Buffer
	a := app.New()
	a.Out = &out
	first, last, finding := uint64(0), uint64(9), uint64(3)
	showRetention(a, []*recorderv1.RunRetention{
		{Run: "r1", State: recorderv1.RetentionState_RETENTION_STATE_RETIRED, FirstSeq: &first, LastSeq: &last, FindingSeq: &finding, Bytes: 700},
		{Run: "r2", State: recorderv1.RetentionState_RETENTION_STATE_NOT_SEALED},
		{Run: "r3", State: recorderv1.RetentionState_RETENTION_STATE_BLOCKED, Segments: 2, Why: "no copy of it yet"},
	})
	for _, want := range []string{"retired    r1  took the payloads of records 0 to 9, 700 bytes; record 3 of findings says so", "not sealed r2", "blocked    r3  2 segments, no copy of it yet"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in %q", want, out.String())
		}
	}
}

// What cannot be undone asks for --yes, and a hold for its reason: both are wrong use, and nothing is called.
func TestWrongUse(t *testing.T) {
	for _, args := range [][]string{
		{"retain", "apply"}, {"retain", "plan", "a", "b"}, {"hold", "set", "r"}, {"hold", "set"}, {"hold", "set", "r", "--tenant", "--reason", "x"},
		{"erase", "r", "--yes"}, {"erase", "r", "--row", "a", "--all", "--yes"}, {"erase", "r", "--group", "a", "--row", "b", "--yes"}, {"erase", "r", "--row", "a"},
		{"hold", "set", "--reason", "x"}, {"hold", "lift", "h"}, {"hold", "lift"},
	} {
		a := app.New()
		a.Out, a.Err = &bytes.Buffer{}, &bytes.Buffer{}
		cmd := NewCommand(a)
		cmd.SetArgs(args)
		cmd.SetOut(&bytes.Buffer{})
		cmd.SetErr(&bytes.Buffer{})
		if err := cmd.ExecuteContext(t.Context()); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}
