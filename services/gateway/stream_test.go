package gateway

import (
	"strings"
	"testing"
)

const watch = "/v1/anomalies:watch"

// What a browser's EventSource reads: id is the resume token, a message without content moves the id and says nothing.
func TestServerSentEvents(t *testing.T) {
	e := newEdge(t)
	got := e.call("GET", watch, "", "Accept", "text/event-stream")
	want := "retry: 1000\n\n" +
		"id: t1\ndata: {\"resumeToken\":\"t1\",\"anomaly\":{\"uid\":\"a1\"}}\n\n" +
		"id: t2\n: heartbeat\n\n" +
		"id: t3\ndata: {\"resumeToken\":\"t3\",\"anomaly\":{\"uid\":\"a3\"}}\n\n" +
		"data: {\"anomaly\":{\"uid\":\"without a token\"}}\n\n"
	if got.body != want || got.code != 200 || got.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%d %v\n%s", got.code, got.header, got.body)
	}
}

func TestLastEventIDResumes(t *testing.T) {
	e := newEdge(t)
	for _, c := range []struct{ name, query, id, accept, want string }{
		{"from the header", "", "t7", "text/event-stream", "t7"},
		{"the header is newer than the URL", "?resume_token=t1", "t8", "text/event-stream", "t8"},
		{"the header is newer than the URL in JSON names", "?resumeToken=t1", "t9", "text/event-stream, */*", "t9"},
		{"the URL alone", "?resume_token=t2", "", "text/event-stream", "t2"},
		{"not an event stream", "?resume_token=t3", "t9", "application/json", "t3"},
	} {
		e.recorder.seen = nil
		if got := e.call("GET", watch+c.query, "", "Accept", c.accept, "Last-Event-ID", c.id); got.code != 200 || e.recorder.tokens() != c.want {
			t.Errorf("%s: %d, the recorder was asked from %q", c.name, got.code, e.recorder.tokens())
		}
	}
}

func TestErrorsOfStreams(t *testing.T) {
	e := newEdge(t)
	for _, accept := range []string{"text/event-stream", "application/x-ndjson", "application/json"} {
		got := e.call("GET", watch+"?run=refused", "", "Accept", accept)
		if got.code != 400 || got.reason(t) != "RESUME_TOKEN_FOREIGN" {
			t.Errorf("%s, before the first message: %d %s", accept, got.code, got.body)
		}
	}
	got := e.call("GET", watch+"?run=breaks", "", "Accept", "text/event-stream")
	_, last, found := strings.Cut(got.body, "event: error\ndata: ")
	if got.code != 200 || !found || !strings.Contains(last, "LEDGER_CORRUPT") || !strings.HasSuffix(last, "\n\n") {
		t.Errorf("in the middle: %d %s", got.code, got.body)
	}
	got = e.call("GET", watch+"?run=breaks", "", "Accept", "application/x-ndjson")
	lines := strings.Split(strings.TrimSuffix(got.body, "\n"), "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[4], `{"error":`) || !strings.Contains(lines[4], "LEDGER_CORRUPT") {
		t.Errorf("the last line: %q", lines)
	}
}

func TestNDJSON(t *testing.T) {
	e := newEdge(t)
	for _, accept := range []string{"application/x-ndjson", "application/x-ndjson, */*;q=0.1"} {
		got := e.call("GET", watch, "", "Accept", accept)
		lines := strings.Split(got.body, "\n")
		if got.code != 200 || got.header.Get("Content-Type") != "application/x-ndjson" || len(lines) != 5 || lines[4] != "" ||
			lines[1] != `{"resumeToken":"t2"}` {
			t.Errorf("%s: %d %v %q", accept, got.code, got.header, lines)
		}
	}
}

// A call that answers once can be asked for as an event too; it must not look like an error.
func TestOneAnswerAsAnEvent(t *testing.T) {
	got := newEdge(t).call("GET", "/v1/passports/x", "", "Accept", "text/event-stream")
	if got.code != 200 || !strings.HasPrefix(got.body, "retry: 1000\n\ndata: {") || strings.Contains(got.body, "error") {
		t.Errorf("%d %q", got.code, got.body)
	}
}
