package recorder

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/provenir/provenir/services/recorder/alert"
)

// A sink that never answers holds up neither records, nor publication, nor another sink.
func TestAlertsDelayNothing(t *testing.T) {
	free := make(chan struct{})
	stalled := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		select {
		case <-free:
		case <-req.Context().Done():
		}
	}))
	defer stalled.Close()
	defer close(free)
	told := make(chan string, 16)
	works := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		var body struct{ Text string }
		if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		told <- body.Text
	}))
	defer works.Close()
	t.Setenv("PROVENIR_TEST_STALLED", stalled.URL)
	t.Setenv("PROVENIR_TEST_WORKS", works.URL)
	r := newRig(t)
	r.cfg.Sinks = []alert.Sink{{Name: "stalled", Kind: "slack", URLEnv: "PROVENIR_TEST_STALLED", AllowPrivate: true},
		{Name: "works", Kind: "slack", URLEnv: "PROVENIR_TEST_WORKS", AllowPrivate: true, MinSeverity: "high"}}
	r.start()
	found := r.write("run-1", 1, runRecords(t, 60, blowup(12))) // every batch is acked
	if len(found) == 0 {
		t.Fatal("nothing was found, so nothing could be told")
	}
	r.stream.await(t, 1)
	if text := <-told; text == "" {
		t.Error("an alert without text")
	}
	r.stop() // and the stop does not wait for the call that hangs
}

func TestSinksAreCheckedAtTheStart(t *testing.T) {
	r := newRig(t)
	r.cfg.Sinks = []alert.Sink{{Name: "a", Kind: "slack", URLEnv: "PROVENIR_NOT_SET"}}
	if _, err := r.cfg.withDefaults(); err != nil {
		t.Fatal(err)
	}
	s := &Service{cfg: r.cfg, taken: newBell()}
	if _, err := s.newAlerter(); err == nil {
		t.Error("a sink without an address was taken")
	}
}
