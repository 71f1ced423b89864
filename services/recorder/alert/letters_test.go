package alert

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

const (
	isWaiting = recorderv1.AlertState_ALERT_STATE_WAITING
	isSent    = recorderv1.AlertState_ALERT_STATE_SENT
	isDead    = recorderv1.AlertState_ALERT_STATE_DEAD
)

func (r *rig) alerter() *Alerter { return &Alerter{workers: []*worker{r.w}} }

func (r *rig) list(f Filter) []*recorderv1.Alert {
	r.t.Helper()
	f.Limit = max(f.Limit, 1)
	if f.Tenant == "" {
		f.Tenant, f.Limit = "acme", max(f.Limit, 100)
	}
	got, err := r.alerter().List(r.t.Context(), r.db, f)
	if err != nil {
		r.t.Fatal(err)
	}
	return got
}

func (r *rig) retry(tenant, sink string, ids ...int64) int {
	r.t.Helper()
	n, err := r.alerter().Retry(r.t.Context(), tenant, sink, ids, r.clock.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

// buried makes dead letters of some anomalies, and one that was sent.
func buried(t *testing.T, n int) *rig {
	r := newRig(t, "webhook")
	r.respond(status(http.StatusBadRequest))
	for i := range n {
		r.find(fmt.Sprintf("i%d", i), open, warn, "")
		r.steps()
	}
	r.respond(nil)
	r.find("good", open, warn, "")
	r.steps()
	r.calls()
	return r
}

// A dead letter that is put back goes with the id that it had, and is dead no more.
func TestDeadLettersArePutBack(t *testing.T) {
	r := buried(t, 3)
	dead := r.list(Filter{States: []recorderv1.AlertState{isDead}})
	if len(dead) != 3 || dead[0].GetError() == "" || dead[0].GetDoneTime() == nil || dead[0].GetDueTime() != nil || !dead[0].GetConfigured() || dead[0].GetAnomaly().GetUid() != "uid-003" {
		t.Fatalf("%v", dead)
	}
	if all := r.list(Filter{}); len(all) != 4 || all[0].GetState() != isSent {
		t.Errorf("%v", all)
	}
	if n := r.retry("acme", "", dead[1].GetId()); n != 1 || r.gauge("provenir_alert_dead_letters") != 2 {
		t.Errorf("%d put back, %v dead", n, r.gauge("provenir_alert_dead_letters"))
	}
	if w := r.list(Filter{States: []recorderv1.AlertState{isWaiting}}); len(w) != 1 || w[0].GetTries() != 0 || w[0].GetDueTime() == nil {
		t.Errorf("%v", w)
	}
	r.steps()
	if got := r.calls(); len(got) != 1 || got[0].header.Get("webhook-id") != "uid-002" {
		t.Errorf("%v", got)
	}
	if n := r.retry("acme", "s"); n != 2 || r.gauge("provenir_alert_dead_letters") != 0 {
		t.Errorf("all: %d", n)
	}
	r.steps()
	if got := r.calls(); len(got) != 2 || len(r.list(Filter{States: []recorderv1.AlertState{isDead, isWaiting}})) != 0 {
		t.Errorf("%d calls", len(got))
	}
}

// What is refused again is dead again, and is given another day where the sink is away.
func TestRetryOfWhatIsRefusedAgain(t *testing.T) {
	r := buried(t, 1)
	r.respond(status(http.StatusBadRequest))
	r.clock.Advance(2 * giveUp)
	if r.retry("acme", "") != 1 {
		t.Fatal("it was not put back")
	}
	r.steps()
	if got := r.list(Filter{States: []recorderv1.AlertState{isDead}}); len(got) != 1 || r.gauge("provenir_alert_dead_letters") != 1 {
		t.Errorf("%v", got)
	}
	r.respond(status(http.StatusBadGateway))
	r.retry("acme", "")
	r.steps()
	if got := r.list(Filter{States: []recorderv1.AlertState{isWaiting}}); len(got) != 1 || got[0].GetTries() == 0 {
		t.Errorf("it has no other day: %v", got)
	}
}

// Nothing of others is touched, and nothing that is no dead letter.
func TestRetryTouchesNothingElse(t *testing.T) {
	r := buried(t, 1)
	all := r.list(Filter{})
	for name, n := range map[string]int{
		"another tenant": r.retry("other", ""), "another sink": r.retry("acme", "x"), "no such id": r.retry("acme", "", 99),
		"one that was sent": r.retry("acme", "", all[0].GetId()),
	} {
		if n != 0 {
			t.Errorf("%s: %d put back", name, n)
		}
	}
	r.w.sink.Name = "renamed" // the settings have the sink no more: nobody would send
	if n := r.retry("acme", ""); n != 0 {
		t.Errorf("%d put back for nobody", n)
	}
	if got := r.list(Filter{States: []recorderv1.AlertState{isDead}}); len(got) != 1 || got[0].GetConfigured() {
		t.Errorf("%v", got)
	}
}

func TestListOfAlerts(t *testing.T) {
	r := buried(t, 3)
	ids := func(in []*recorderv1.Alert) (out []int64) {
		for _, x := range in {
			out = append(out, x.GetId())
		}
		return out
	}
	for _, c := range []struct {
		name string
		f    Filter
		want []int64
	}{
		{"all", Filter{Tenant: "acme", Limit: 9}, []int64{4, 3, 2, 1}},
		{"a page", Filter{Tenant: "acme", Limit: 2}, []int64{4, 3}},
		{"the next", Filter{Tenant: "acme", Limit: 2, Before: 3}, []int64{2, 1}},
		{"another tenant", Filter{Tenant: "other", Limit: 9}, nil},
		{"another sink", Filter{Tenant: "acme", Sink: "x", Limit: 9}, nil},
		{"a sink, sent", Filter{Tenant: "acme", Sink: "s", States: []recorderv1.AlertState{isSent}, Limit: 9}, []int64{4}},
		{"a state that is none", Filter{Tenant: "acme", States: []recorderv1.AlertState{99}, Limit: 9}, nil},
	} {
		if got := ids(r.list(c.f)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
