package gateway

import (
	"strings"
	"testing"
)

func TestOpenMetrics(t *testing.T) {
	e := newEdge(t)
	got := e.call("GET", "/v1/runs/06e8k/openmetrics", "")
	if got.code != 200 || got.body != "# TYPE a gauge\nopenmetrics# EOF\n" || got.header.Get("Content-Type") != "application/openmetrics-text; version=1.0.0; charset=utf-8" {
		t.Errorf("%+v", got)
	}
	for run, want := range map[string]struct {
		code   int
		reason string
	}{"absent": {404, "RUN_NOT_FOUND"}, "breaks": {500, "LEDGER_CORRUPT"}, "endless": {429, "FRAME_TOO_LARGE"}} {
		got := e.call("GET", "/v1/runs/"+run+"/openmetrics", "")
		if got.code != want.code || !strings.Contains(got.body, want.reason) || strings.Contains(got.body, "# TYPE") || !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
			t.Errorf("%s: %d %s", run, got.code, got.body)
		}
	}
	if got := e.call("GET", "/v1/runs/06e8k/openmetrics", "", "Authorization", ""); got.code != 401 || strings.Contains(got.body, "# TYPE") {
		t.Errorf("without a token: %+v", got)
	}
	if got := e.call("POST", "/v1/runs/06e8k/openmetrics", ""); got.code == 200 {
		t.Errorf("a scrape is a GET: %+v", got)
	}
}
