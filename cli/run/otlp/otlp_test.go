package otlp

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collectlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collectmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"
)

// receiver is a collector: it reads what the protocol has and keeps it.
type receiver struct {
	t       *testing.T
	mu      sync.Mutex
	refuse  int // a status for the requests after the first n
	after   int
	calls   int
	logs    []*logspb.ResourceLogs
	metrics []*collectmetrics.ExportMetricsServiceRequest
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if r.refuse > 0 && r.calls > r.after {
		w.WriteHeader(r.refuse)
		return
	}
	b, err := io.ReadAll(req.Body)
	if err != nil {
		r.t.Error(err)
	}
	switch req.URL.Path {
	case "/prefix/v1/logs":
		var m collectlogs.ExportLogsServiceRequest
		if err := proto.Unmarshal(b, &m); err != nil {
			r.t.Error(err)
		}
		r.logs = append(r.logs, m.GetResourceLogs()...)
	case "/prefix/v1/metrics":
		m := &collectmetrics.ExportMetricsServiceRequest{}
		if err := proto.Unmarshal(b, m); err != nil {
			r.t.Error(err)
		}
		r.metrics = append(r.metrics, m)
	default:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func attributes(in []*commonpb.KeyValue) map[string]any {
	out := map[string]any{}
	for _, kv := range in {
		switch v := kv.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			out[kv.GetKey()] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			out[kv.GetKey()] = v.IntValue
		case *commonpb.AnyValue_DoubleValue:
			out[kv.GetKey()] = v.DoubleValue
		}
	}
	return out
}

const head = `{"type":"run","run":"06e8k","verdict":"critical"}
{"type":"incident","incident":"i1","kind":"kl_blowup","severity":"critical","opened_step":2,"onset_step":1,"resolved_step":9,"detail":"kl.ref is 3"}
`

func TestSend(t *testing.T) {
	r := &receiver{t: t}
	server := httptest.NewServer(r)
	defer server.Close()
	in := head
	for step := range 600 {
		in += fmt.Sprintf(`{"type":"metric","step":%d,"metric":"kl.ref","value":%d,"reduction":"token_mean","unit":"nats","recorded_at":"2026-01-01T00:00:00.5Z"}`+"\n", step, step)
		in += fmt.Sprintf(`{"type":"metric","step":%d,"metric":"kl.ref","value":1,"scope":"eval","unit":"nats","recorded_at":"2026-01-01T00:00:00.5Z"}`+"\n", step)
	}
	in += `{"type":"metric","attempt":1,"step":0,"metric":"loss.policy","non_finite":"NaN"}` + "\n"
	done, err := Send(t.Context(), Config{URL: server.URL + "/prefix/", Run: "06e8k", Algorithm: "grpo", Version: "v1"}, strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	if *done != (Done{Steps: 601, Values: 1201, Incidents: 1, Gauges: 3, Undated: 1}) {
		t.Errorf("%+v", done)
	}
	steps := map[int64]bool{}
	var records int
	for _, rl := range r.logs {
		about := attributes(rl.GetResource().GetAttributes())
		if rl.GetSchemaUrl() != SchemaURL || about["rl.system"] != "provenir" || about["rl.run.id"] != "06e8k" || about["rl.algorithm"] != "grpo" {
			t.Errorf("%s %v", rl.GetSchemaUrl(), about)
		}
		for _, rec := range rl.GetScopeLogs()[0].GetLogRecords() {
			records++
			a := attributes(rec.GetAttributes())
			switch rec.GetEventName() {
			case EventIncident:
				if a["rl.incident.kind"] != "kl_blowup" || a["rl.incident.resolved_step"] != int64(9) || rec.GetSeverityNumber() != logspb.SeverityNumber_SEVERITY_NUMBER_ERROR {
					t.Errorf("%v", rec)
				}
			case EventStep:
				body := attributes(rec.GetBody().GetKvlistValue().GetValues())
				if a["rl.attempt"] == int64(1) {
					if body["loss.policy"] != "NaN" || rec.GetTimeUnixNano() != 0 {
						t.Errorf("%v", rec)
					}
					continue
				}
				at := a["rl.step"].(int64)
				steps[at] = true
				if body["kl.ref/token_mean"] != float64(at) || body["eval/kl.ref"] != 1.0 || rec.GetTimeUnixNano() != 1767225600500000000 {
					t.Errorf("step %d: %v", at, body)
				}
			}
		}
	}
	if len(steps) != 600 || records != 602 {
		t.Errorf("%d steps in %d records", len(steps), records)
	}
	checkGauges(t, r)
}

func checkGauges(t *testing.T, r *receiver) {
	t.Helper()
	if len(r.metrics) != 1 {
		t.Fatalf("%d requests of metrics", len(r.metrics))
	}
	rm := r.metrics[0].GetResourceMetrics()[0]
	if about := attributes(rm.GetResource().GetAttributes()); rm.GetSchemaUrl() != SchemaURL || about["rl.run.id"] != "06e8k" {
		t.Errorf("%v", rm)
	}
	found := rm.GetScopeMetrics()[0].GetMetrics()
	if len(found) != 2 || found[0].GetName() != "rl.kl.ref" || found[0].GetUnit() != "nats" || len(found[0].GetGauge().GetDataPoints()) != 2 {
		t.Fatalf("%v", found)
	}
	if x := found[0].GetGauge().GetDataPoints()[0]; x.GetAsDouble() != 599 || attributes(x.GetAttributes())["rl.reduction"] != "token_mean" {
		t.Errorf("the newest value: %v", x)
	}
	if x := found[1].GetGauge().GetDataPoints()[0].GetAsDouble(); !math.IsNaN(x) {
		t.Errorf("a value that is none: %g", x)
	}
}

// What nobody knows is not there; an empty text would be an algorithm of its own.
func TestNoAlgorithm(t *testing.T) {
	r := &receiver{t: t}
	server := httptest.NewServer(r)
	defer server.Close()
	if _, err := Send(t.Context(), Config{URL: server.URL + "/prefix", Run: "06e8k"}, strings.NewReader(head)); err != nil {
		t.Fatal(err)
	}
	if _, there := attributes(r.logs[0].GetResource().GetAttributes())["rl.algorithm"]; there {
		t.Error("an algorithm was made up")
	}
}

func TestSendFails(t *testing.T) {
	for name, c := range map[string]struct {
		url, in       string
		refuse, after int
		says          string
	}{
		"no address":          {url: "localhost:4318", in: head, says: "--to"},
		"a password in it":    {url: "http://u:p@localhost:4318", in: head, says: "OTEL_EXPORTER_OTLP_HEADERS"},
		"refused":             {in: head, refuse: 401, says: "401"},
		"refused at the end":  {in: head, refuse: 400, after: 1, says: "400"},
		"no JSON":             {in: head + "{", says: "line 3"},
		"nothing":             {in: "", says: "empty"},
		"no time that it was": {in: head + `{"type":"metric","metric":"a","value":1,"recorded_at":"noon"}`, says: "recorded_at"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(&receiver{t: t, refuse: c.refuse, after: c.after})
			defer server.Close()
			url := c.url
			if url == "" {
				url = server.URL + "/prefix"
			}
			if _, err := Send(t.Context(), Config{URL: url, Run: "r"}, strings.NewReader(c.in)); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want one that says %q", err, c.says)
			}
		})
	}
}
