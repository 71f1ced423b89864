package recorder

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/rpc"
)

func trackedGet(t *testing.T, c recorderv1.RecorderServiceClient, name string) *recorderv1.TrackedRun {
	t.Helper()
	got, err := c.GetTrackedRun(t.Context(), &recorderv1.GetTrackedRunRequest{Run: name})
	if err != nil {
		t.Fatal(err)
	}
	return got.GetRun()
}

func trackedList(t *testing.T, c recorderv1.RecorderServiceClient, req *recorderv1.ListTrackedRunsRequest) []string {
	t.Helper()
	got, err := c.ListTrackedRuns(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, r := range got.GetRuns() {
		out = append(out, r.GetRun())
	}
	return out
}

// another gives rows of a run whose uid ends in a letter.
func another(rows []string, end string) (string, []string) {
	uid := trackedRun[:25] + end
	out := slices.Clone(rows)
	out[0] = strings.Replace(out[0], trackedRun, uid, 1)
	return uid, out
}

func trackAs(c recorderv1.RecorderServiceClient, uid string, rows ...string) error {
	_, err := c.AppendBatch(context.Background(), &recorderv1.AppendBatchRequest{Run: uid, Epoch: 5, Log: recorderv1.Log_LOG_EVENTS, Rows: rows})
	return err
}

// A run is listed with its first row, is written while its tracker speaks, silent after, and ends as its tracker says.
func TestTrackedRunThroughItsLife(t *testing.T) {
	r := newRig(t)
	now := clock.NewFake(time.Unix(1_790_000_000, 0))
	r.clock = now
	r.start()
	c := r.person()
	if got := trackedList(t, c, &recorderv1.ListTrackedRunsRequest{}); len(got) != 0 {
		t.Fatalf("runs of nobody: %v", got)
	}
	rows := trackedRows(10, calm)
	rows[0] = strings.Replace(rows[0], `"name":"n"`, `"name":"my loop","host":"h","pid":7,"sdk":"python/0","model":"m"`, 1)
	rows[12] = strings.Replace(rows[12], `"type":"close"`, `"type":"close","at":"2026-01-02T03:04:05Z","invalid":2`, 1)
	if _, err := track(c, 5, rows[:6]...); err != nil {
		t.Fatal(err)
	}
	x := trackedGet(t, c, trackedRun)
	if x.GetName() != "my loop" || x.GetHost() != "h" || x.GetPid() != 7 || x.GetSdk() != "python/0" || x.GetMethod() != "grpo" || x.GetModel() != "m" ||
		x.GetSteps() != 4 || x.GetConfig() != `{"lr":1e-6}` || !x.GetPartial() || x.GetEndTime() != nil || x.GetState() != recorderv1.TrackedState_TRACKED_STATE_WRITING {
		t.Errorf("while it is written: %v", x)
	}
	now.Advance(leaseFor)
	if x = trackedGet(t, c, "@last"); x.GetState() != recorderv1.TrackedState_TRACKED_STATE_SILENT {
		t.Errorf("when nobody speaks: %v", x)
	}
	if _, err := track(c, 5, rows[6:]...); err != nil {
		t.Fatal(err)
	}
	want := trackedGet(t, c, trackedRun[:4])
	if want.GetState() != recorderv1.TrackedState_TRACKED_STATE_COMPLETED || !want.GetPartial() || want.GetInvalid() != 2 || want.GetSteps() != 10 ||
		want.GetEndTime().AsTime().Format(time.RFC3339) != "2026-01-02T03:04:05Z" {
		t.Errorf("at its end: %v", want)
	}
	// The table is a copy: without its row the run is found in the logs, all of it.
	if _, err := r.service.d.DB.Exec(t.Context(), `DELETE FROM tracked_runs`); err != nil {
		t.Fatal(err)
	}
	r.restart()
	if x = trackedGet(t, r.person(), trackedRun); x.String() != want.String() {
		t.Errorf("made again:\n%v\nwant\n%v", x, want)
	}
}

// A run that a kill left without an end is listed after a restart as it was, and so is one whose end was not listed in time.
func TestTrackedRunAfterACrash(t *testing.T) {
	r := newRig(t).start()
	c := r.person()
	rows := trackedRows(10, calm)
	if _, err := track(c, 5, rows[:6]...); err != nil {
		t.Fatal(err)
	}
	r.restart()
	c = r.person()
	if x := trackedGet(t, c, trackedRun); x.GetName() != "n" || x.GetSteps() != 4 || x.GetState() != recorderv1.TrackedState_TRACKED_STATE_SILENT {
		t.Errorf("%v", x)
	}
	old := trackedGet(t, c, trackedRun)
	if _, err := track(c, 5, rows[6:]...); err != nil {
		t.Fatal(err)
	}
	if err := r.put(old); err != nil { // the recorder was killed between the seal and the table
		t.Fatal(err)
	}
	r.restart()
	if x := trackedGet(t, r.person(), trackedRun); x.GetState() != recorderv1.TrackedState_TRACKED_STATE_COMPLETED || x.GetSteps() != 10 {
		t.Errorf("%v", x)
	}
}

func (r *rig) put(x *recorderv1.TrackedRun) error {
	_, err := r.service.d.DB.Exec(r.t.Context(), `UPDATE tracked_runs SET state = ?, body = ? WHERE run = ?`,
		int32(x.GetState()), marshal(r.t, &recorderv1.TrackedRun{Run: x.GetRun(), CreateTime: x.GetCreateTime(), State: x.GetState()}), x.GetRun())
	return err
}

// A filter on who writes is not the table's, and pages are full all the same.
func TestTrackedRunsByState(t *testing.T) {
	r := newRig(t)
	now := clock.NewFake(time.Unix(1_790_000_000, 0))
	r.clock = now
	r.start()
	c := r.person()
	rows := trackedRows(2, calm)
	var uids []string
	for i, end := range []string{"0", "1", "2", "3", "4", "5"} {
		uid, own := another(rows, end)
		uids = append(uids, uid)
		if i%2 == 1 {
			own = own[:3]
		}
		if err := trackAs(c, uid, own...); err != nil {
			t.Fatal(err)
		}
	}
	now.Advance(leaseFor)
	if err := trackAs(c, uids[1]); err != nil { // one of the open ones speaks again
		t.Fatal(err)
	}
	for _, x := range []struct {
		name string
		req  *recorderv1.ListTrackedRunsRequest
		want []string
	}{
		{"all", &recorderv1.ListTrackedRunsRequest{}, []string{uids[5], uids[4], uids[3], uids[2], uids[1], uids[0]}},
		{"written", &recorderv1.ListTrackedRunsRequest{States: []recorderv1.TrackedState{recorderv1.TrackedState_TRACKED_STATE_WRITING}, PageSize: 1}, uids[1:2]},
		{"silent", &recorderv1.ListTrackedRunsRequest{States: []recorderv1.TrackedState{recorderv1.TrackedState_TRACKED_STATE_SILENT}, PageSize: 1}, uids[5:]},
		{"behind one", &recorderv1.ListTrackedRunsRequest{States: []recorderv1.TrackedState{recorderv1.TrackedState_TRACKED_STATE_COMPLETED},
			BehindTime: trackedGet(t, c, uids[2]).GetCreateTime().AsTime().UnixMilli(), BehindRun: uids[2]}, uids[:1]},
		{"of another method", &recorderv1.ListTrackedRunsRequest{Methods: []string{"dpo"}}, []string{}},
		{"before all", &recorderv1.ListTrackedRunsRequest{CreatedBefore: timestamppb.New(time.Unix(1000, 0))}, []string{}},
	} {
		if got := trackedList(t, c, x.req); !slices.Equal(got, x.want) {
			t.Errorf("%s: %v, want %v", x.name, got, x.want)
		}
	}
	for name, reason := range map[string]string{uids[0][:25]: "RUN_AMBIGUOUS", "zz": "RUN_NOT_FOUND", "0": "RUN_NOT_FOUND"} {
		if _, err := c.GetTrackedRun(t.Context(), &recorderv1.GetTrackedRunRequest{Run: name}); rpc.Reason(err) != reason {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.ListTrackedRuns(t.Context(), &recorderv1.ListTrackedRunsRequest{CreatedAfter: &timestamppb.Timestamp{Nanos: -1}}); rpc.Reason(err) != "INVALID_ARGUMENT" {
		t.Errorf("a time that is none: %v", err)
	}
}

// A run that an exception ended says so.
func TestTrackedRunThatBroke(t *testing.T) {
	r := newRig(t).start()
	c := r.person()
	rows := trackedRows(3, calm)
	if _, err := track(c, 5, rows[:4]...); err != nil {
		t.Fatal(err)
	}
	rows[5] = fmt.Sprintf(`{"seq":%d,"type":"close","outcome":"partial","error":"ValueError"}`, 5)
	if _, err := track(c, 5, rows[4:]...); err != nil {
		t.Fatal(err)
	}
	if x := trackedGet(t, c, trackedRun); x.GetState() != recorderv1.TrackedState_TRACKED_STATE_BROKEN || x.GetError() != "ValueError" {
		t.Errorf("%v", x)
	}
}
