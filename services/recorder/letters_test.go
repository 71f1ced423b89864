package recorder

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/recorder/alert"
)

// A dead letter is listed, put back by its id, and sent at once although its worker sleeps.
func TestDeadLettersAreSentAgain(t *testing.T) {
	var refuse atomic.Bool
	refuse.Store(true)
	seen := make(chan bool, 16)
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if refuse.Load() {
			w.WriteHeader(http.StatusBadRequest)
		}
		seen <- !refuse.Load()
	}))
	defer sink.Close()
	t.Setenv("PROVENIR_TEST_SINK", sink.URL)
	r := newRig(t)
	r.cfg.Sinks = []alert.Sink{{Name: "ops", Kind: "slack", URLEnv: "PROVENIR_TEST_SINK", AllowPrivate: true}}
	r.start()
	if found := r.write("run-1", 1, runRecords(t, 60, blowup(12))); len(found) == 0 {
		t.Fatal("nothing was found, so nothing could be told")
	}
	<-seen
	var dead []*recorderv1.Alert
	for len(dead) == 0 { // its row is written after the answer
		got, err := r.client.ListAlerts(t.Context(), &recorderv1.ListAlertsRequest{States: []recorderv1.AlertState{recorderv1.AlertState_ALERT_STATE_DEAD}})
		if err != nil {
			t.Fatal(err)
		}
		dead = got.GetAlerts()
	}
	refuse.Store(false)
	got, err := r.client.RetryAlerts(t.Context(), &recorderv1.RetryAlertsRequest{Ids: []int64{dead[0].GetId()}})
	if err != nil || got.GetRetried() != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	for !<-seen {
	}
	for name, req := range map[string]*recorderv1.RetryAlertsRequest{"nothing": {}, "both": {All: true, Ids: []int64{1}}} {
		if _, err := r.client.RetryAlerts(t.Context(), req); rpc.Reason(err) != "INVALID_ARGUMENT" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.client.ListAlerts(t.Context(), &recorderv1.ListAlertsRequest{PageToken: "foreign"}); rpc.Reason(err) != "RESUME_TOKEN_FOREIGN" {
		t.Errorf("%v", err)
	}
}

func TestPagesOfAlerts(t *testing.T) {
	r := newRig(t).start()
	for i := range 7 {
		if _, err := r.service.d.DB.Exec(t.Context(), `INSERT INTO alerts (sink, uid, tenant, body, created, due, state) VALUES ('gone', ?, 'default', ?, 0, 0, 2)`, string(rune('a'+i)), []byte{}); err != nil {
			t.Fatal(err)
		}
	}
	var ids []int64
	req := &recorderv1.ListAlertsRequest{PageSize: 3}
	for {
		page, err := r.client.ListAlerts(t.Context(), req)
		if err != nil || len(page.GetAlerts()) > 3 {
			t.Fatalf("%v, %v", page, err)
		}
		for _, x := range page.GetAlerts() {
			ids = append(ids, x.GetId())
			if x.GetConfigured() {
				t.Error("a sink that the settings do not have")
			}
		}
		if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	if len(ids) != 7 || ids[0] != 7 || ids[6] != 1 {
		t.Errorf("%v", ids)
	}
	if got, err := r.client.RetryAlerts(t.Context(), &recorderv1.RetryAlertsRequest{All: true}); err != nil || got.GetRetried() != 0 {
		t.Errorf("for nobody: %v, %v", got, err)
	}
}
