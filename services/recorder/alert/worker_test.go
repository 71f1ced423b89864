package alert

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", code) }
}

func TestWebhook(t *testing.T) {
	r := newRig(t, "webhook")
	r.find("i1", open, warn, "KL <rose>")
	r.find("i1", update, warn, "goes on")
	r.find("i1", escalate, critical, "worse")
	r.find("i1", resolve, critical, "over")
	if wait := r.steps(); wait != idle {
		t.Errorf("it waits %v", wait)
	}
	got := r.calls()
	if len(got) != 3 {
		t.Fatalf("%d calls\n%s", len(got), r.log.String())
	}
	for i, want := range []string{"open", "escalate", "resolve"} {
		data := got[i].body["data"].(map[string]any)
		if got[i].body["type"] != "provenir.anomaly."+want || data["event"] != want || data["incident"] != "i1" || data["tenant"] != "acme" ||
			got[i].header.Get("webhook-id") != data["id"] || got[i].header.Get("webhook-timestamp") != "1772366400" {
			t.Errorf("call %d: %s %v", i, got[i].raw, got[i].header)
		}
	}
	if r.gauge("provenir_alert_dead_letters") != 0 || r.log.Len() > 0 {
		t.Errorf("log %s", r.log.String())
	}
}

// A sink that is away: tries at growing times with one id, over a restart, and in order.
func TestRetry(t *testing.T) {
	r := newRig(t, "webhook")
	r.respond(status(http.StatusServiceUnavailable))
	r.find("i1", open, warn, "first")
	r.find("i2", open, warn, "second")
	var waits []time.Duration
	for range 12 {
		wait := r.steps()
		waits = append(waits, wait)
		r.clock.Advance(wait)
	}
	if waits[0] < time.Second || waits[0] > 2*time.Second || waits[11] > 5*time.Minute || waits[11] < 2*time.Minute {
		t.Errorf("waits %v", waits)
	}
	for _, c := range r.calls() {
		if c.header.Get("webhook-id") != "uid-001" {
			t.Errorf("%s came before its turn, or with another id", c.header.Get("webhook-id"))
		}
	}
	r.respond(nil)
	r.restart("")
	r.clock.Advance(longWait)
	r.steps()
	got := r.calls()
	if len(got) != 2 || got[0].header.Get("webhook-id") != "uid-001" || got[1].header.Get("webhook-id") != "uid-002" {
		t.Errorf("after the restart: %v", got)
	}
	if n := strings.Count(r.log.String(), "tried again"); n != 1 {
		t.Errorf("said %d times:\n%s", n, r.log.String())
	}
}

func TestBreakerHoldsNewMessagesBack(t *testing.T) {
	r := newRig(t, "webhook")
	r.respond(status(http.StatusInternalServerError))
	r.find("i1", open, warn, "")
	for range breakAfter {
		r.clock.Advance(r.steps())
	}
	r.calls()
	r.w.breaker.until = r.clock.Now().Add(time.Minute)
	r.find("i2", open, critical, "")
	if wait := r.steps(); len(r.calls()) != 0 || wait != time.Minute {
		t.Errorf("it called a sink that fails, or waits %v", wait)
	}
}

func TestStall(t *testing.T) {
	r := newRig(t, "webhook")
	r.timeout = 20 * time.Millisecond
	r.restart("")
	free := make(chan struct{})
	defer close(free)
	r.respond(func(_ http.ResponseWriter, req *http.Request) {
		select {
		case <-free:
		case <-req.Context().Done():
		}
	})
	r.find("i1", open, warn, "")
	if wait := r.steps(); wait < time.Second || wait > 2*time.Second {
		t.Errorf("after a stall it waits %v\n%s", wait, r.log.String())
	}
}

func TestDeadLetters(t *testing.T) {
	for name, c := range map[string]struct {
		code  int
		after time.Duration
		dead  float64
	}{
		"refused for good":     {http.StatusBadRequest, 0, 1},
		"too large":            {http.StatusRequestEntityTooLarge, 0, 1},
		"wrong token, for now": {http.StatusUnauthorized, 23 * time.Hour, 0},
		"away for a day":       {http.StatusBadGateway, 24 * time.Hour, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, "webhook")
			r.respond(status(c.code))
			r.find("i1", open, warn, "")
			r.steps()
			r.clock.Advance(c.after)
			r.steps()
			if got := r.gauge("provenir_alert_dead_letters"); got != c.dead || strings.Contains(r.log.String(), "dead letter") != (c.dead > 0) {
				t.Errorf("%v dead letters\n%s", got, r.log.String())
			}
			r.respond(nil)
			r.clock.Advance(longWait)
			r.find("i2", open, warn, "")
			r.steps() // the queue goes on
			if got := r.calls(); got[len(got)-1].header.Get("webhook-id") != "uid-002" {
				t.Errorf("the queue stands behind a dead letter: %v", got)
			}
		})
	}
}

// 20 a minute, then one message of all that wait; a digest that fails comes again as it was.
func TestDigest(t *testing.T) {
	r := newRig(t, "webhook")
	for i := range 50 {
		r.find(fmt.Sprint("i", i), open, warn, "")
	}
	wait := r.steps()
	if n := len(r.calls()); n != perMinute || wait != time.Minute {
		t.Fatalf("%d calls, then a wait of %v", n, wait)
	}
	r.clock.Advance(wait)
	r.respond(status(http.StatusInternalServerError))
	again := r.steps()
	r.find("late", open, critical, "")
	r.respond(nil)
	r.restart("")
	r.clock.Advance(again)
	r.steps()
	got := r.calls()
	if len(got) != 3 {
		t.Fatalf("%d calls", len(got))
	}
	for _, c := range got[:2] {
		data := c.body["data"].(map[string]any)
		if c.body["type"] != "provenir.anomaly.digest" || len(data["alerts"].([]any)) != 30 || data["severity"] != "warn" ||
			c.header.Get("webhook-id") != got[0].header.Get("webhook-id") || !strings.HasPrefix(c.header.Get("webhook-id"), "digest-") {
			t.Errorf("digest %v %.200s", c.header, c.raw)
		}
	}
	if got[2].body["type"] != "provenir.anomaly.open" {
		t.Errorf("what came later: %s", got[2].raw)
	}
}

func TestRetryAfter(t *testing.T) {
	r := newRig(t, "slack")
	r.respond(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "90")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	r.find("i1", open, warn, "")
	if wait := r.steps(); wait != 90*time.Second {
		t.Errorf("it waits %v", wait)
	}
}

func TestSlack(t *testing.T) {
	r := newRig(t, "slack")
	r.find("i1", open, critical, "<!channel> & <@U1> "+strings.Repeat("ü", 5000))
	r.steps()
	got := r.calls()
	if len(got) != 1 {
		t.Fatalf("%d calls: %s", len(got), r.log.String())
	}
	blocks := got[0].body["blocks"].([]any)
	section := blocks[1].(map[string]any)["text"].(map[string]any)["text"].(string)
	if head := blocks[0].(map[string]any)["text"].(map[string]any)["text"]; head != "critical: kl_blowup open" || strings.ContainsAny(section, "<>") ||
		len([]rune(section)) > 3000 || !strings.Contains(section, "&lt;!channel&gt; &amp;") || strings.Contains(got[0].body["text"].(string), "<!") {
		t.Errorf("%v: %.300s", head, section)
	}
}

// PagerDuty joins by incident, and is never sent a digest.
func TestPagerDuty(t *testing.T) {
	r := newRig(t, "pagerduty")
	r.respond(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	r.find("i1", open, warn, "")
	r.find("i1", resolve, warn, "")
	for i := range 30 {
		r.find(fmt.Sprint("x", i), open, critical, "")
	}
	wait := r.steps()
	got := r.calls()
	if len(got) != perMinute || wait != time.Minute {
		t.Fatalf("%d calls, wait %v", len(got), wait)
	}
	first, second := got[0].body, got[1].body
	if first["event_action"] != "trigger" || first["dedup_key"] != "i1" || first["payload"].(map[string]any)["severity"] != "warning" || first["routing_key"] != hookSecret ||
		second["event_action"] != "resolve" || second["dedup_key"] != "i1" || second["payload"] != nil {
		t.Errorf("%v\n%v", first, second)
	}
	r.clock.Advance(wait)
	r.steps()
	if got := r.calls(); len(got) != 12 || got[0].body["dedup_key"] != "x18" {
		t.Errorf("after a minute %d calls", len(got))
	}
}

// A sink that is added later is not told of the past, and forgets nothing over a restart.
func TestBeginsAtThePresent(t *testing.T) {
	r := newRig(t, "webhook")
	r.find("old", open, warn, "")
	r.sink.Name = "later"
	r.restart("")
	r.find("new", open, warn, "")
	r.restart("")
	r.steps()
	if got := r.calls(); len(got) != 1 || got[0].body["data"].(map[string]any)["incident"] != "new" {
		t.Errorf("calls %v", got)
	}
}

// The rig's address 127.0.0.1 stands for a public one here; 127.0.0.2 does not.
func TestTargets(t *testing.T) {
	reached := false
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer inside.Close()
	port := inside.URL[strings.LastIndex(inside.URL, ":"):]
	redirect := func(code int, to string) http.HandlerFunc {
		return func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, to, code) }
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"redirect inside":            {redirect(http.StatusTemporaryRedirect, "http://127.0.0.2"+port), "allow_private"},
		"redirect inside by a name":  {redirect(http.StatusPermanentRedirect, "http://[::1]"+port), "allow_private"},
		"redirect that drops a body": {redirect(http.StatusFound, "/ok"), "drops the body"},
		"redirect without an end":    {redirect(http.StatusTemporaryRedirect, "/hook"), "more than 3"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, "webhook")
			guarded := newClient(func(a netip.Addr) bool { return a.String() == "127.0.0.1" }, r.timeout)
			defer guarded.CloseIdleConnections()
			r.w.client = guarded
			r.respond(c.answer)
			r.find("i1", open, warn, "")
			if r.steps(); reached || !strings.Contains(r.log.String(), c.says) || strings.Contains(r.log.String(), "http://127.0.0.1") {
				t.Errorf("reached %v: %s", reached, r.log.String())
			}
		})
	}
	client := newClient(public, time.Second)
	defer client.CloseIdleConnections()
	for _, url := range []string{inside.URL, "http://localhost" + port} {
		resp, err := client.Post(url, "text/plain", nil)
		if err == nil {
			err = resp.Body.Close()
		}
		if !errors.Is(err, errPrivate) || reached {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// When the process ends in the middle of a call, the alert stays.
func TestStopInTheMiddle(t *testing.T) {
	r := newRig(t, "webhook")
	ctx, cancel := context.WithCancel(t.Context())
	r.respond(func(http.ResponseWriter, *http.Request) { cancel() })
	r.find("i1", open, warn, "")
	if _, err := r.w.step(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	r.respond(nil)
	r.restart("")
	r.steps()
	if got := r.calls(); got[len(got)-1].header.Get("webhook-id") != "uid-001" {
		t.Errorf("calls %v", got)
	}
}
