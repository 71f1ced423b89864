package mlflow

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

const uid = "06e8k0000000000000000000xy"

// jsonl is an export of n steps, one value each, the last of them not finite.
func jsonl(n int, complete bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"type":"run","run":%q,"verdict":"healthy","complete":%t}`+"\n", uid, complete)
	b.WriteString(`{"type":"incident","kind":"x"}` + "\n")
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i := range n {
		value := fmt.Sprintf(`"value":%d.5`, i)
		if i == n-1 {
			value = `"non_finite":"NaN"`
		}
		fmt.Fprintf(&b, `{"type":"metric","attempt":0,"step":%d,"metric":"reward.mean","reduction":"batch_mean",%s,"recorded_at":%q}`+"\n", i, value,
			began.Add(time.Duration(i)*time.Second).Format(time.RFC3339Nano))
	}
	return b.String()
}

func client(t *testing.T, url string) *Client {
	t.Helper()
	c, err := New(Config{URL: url, Experiment: "exp", Token: "t0ken", HTTP: &http.Client{Timeout: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSend(t *testing.T) {
	s, url := newServer(t)
	done, err := client(t, url).Send(t.Context(), uid, strings.NewReader(jsonl(2500, true)))
	if err != nil || done.Sent != 2500 || done.Skipped != 0 || done.Undated != 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	r := s.runs[done.Run]
	if len(s.runs) != 1 || len(r.metrics) != 2500 || r.status != "FINISHED" || s.batches != 4 || r.tags["provenir.verdict"] != "healthy" || !s.auth["Bearer t0ken"] {
		t.Errorf("%d runs, %d values, %s, %d batches, %v", len(s.runs), len(r.metrics), r.status, s.batches, r.tags)
	}
	for _, want := range []string{"reward.mean/batch_mean|1772366400000|0.5|0", "reward.mean/batch_mean|1772368899000|NaN|2499"} {
		if !r.metrics[want] {
			t.Errorf("%s is not there", want)
		}
	}
	again, err := client(t, url).Send(t.Context(), uid, strings.NewReader(jsonl(2500, true)))
	if err != nil || again.Run != done.Run || again.Sent != 0 || again.Skipped != 2500 || len(r.metrics) != 2500 {
		t.Errorf("a repeat: %+v, %v", again, err)
	}
}

// Whatever call fails, before or after it took effect, the same command brings the rest and nothing twice.
func TestSendAgainAfterFailure(t *testing.T) {
	for _, path := range []string{"experiments/get-by-name", "experiments/create", "runs/search", "runs/create", "runs/log-batch", "runs/update"} {
		for _, how := range []string{"fail", "lose"} {
			t.Run(path+" "+how, func(t *testing.T) {
				s, url := newServer(t)
				map[string]map[string]int{"fail": s.fail, "lose": s.lose}[how][path] = 1
				if _, err := client(t, url).Send(t.Context(), uid, strings.NewReader(jsonl(1200, false))); err == nil {
					t.Fatal("the call did not fail")
				}
				done, err := client(t, url).Send(t.Context(), uid, strings.NewReader(jsonl(2500, true)))
				if err != nil || len(s.runs) != 1 {
					t.Fatalf("%d runs, %v", len(s.runs), err)
				}
				r := s.runs[done.Run]
				if r.status != "FINISHED" || r.tags[tagNext] != "2500" || !r.metrics["reward.mean/batch_mean|1772368899000|NaN|2499"] {
					t.Errorf("%s, tags %v, %d values", r.status, r.tags, len(r.metrics))
				}
			})
		}
	}
}

func TestSendRefuses(t *testing.T) {
	_, url := newServer(t)
	metric := func(name string) string {
		return fmt.Sprintf(`{"type":"metric","step":1,"metric":%q,"value":1}`+"\n", name)
	}
	for name, c := range map[string]struct{ in, says string }{
		"empty":               {"", "empty"},
		"no JSON":             {"{", "line 1"},
		"two names, one":      {`{"type":"run"}` + "\n" + metric("raw.a?") + metric("raw.a!"), "one key in MLflow"},
		"a time that is none": {`{"type":"run"}` + "\n" + `{"type":"metric","metric":"m","value":1,"recorded_at":"today"}`, "recorded_at"},
	} {
		if _, err := client(t, url).Send(t.Context(), uid, strings.NewReader(c.in)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{"", "127.0.0.1:5000", "ftp://x", "http://user:pw@host"} {
		if _, err := New(Config{URL: bad, Experiment: "e"}); err == nil || strings.Contains(err.Error(), "pw") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>hello") }))
	defer other.Close()
	if _, err := client(t, other.URL).Send(t.Context(), uid, strings.NewReader(jsonl(1, true))); err == nil || !strings.Contains(err.Error(), "no JSON of MLflow") {
		t.Errorf("a server that is none of MLflow: %v", err)
	}
}

// Against a real server: `mlflow server --backend-store-uri sqlite:///m.db` and its address in PROVENIR_MLFLOW_URL.
func TestRealServer(t *testing.T) {
	url := os.Getenv("PROVENIR_MLFLOW_URL")
	if url == "" {
		t.Skip("PROVENIR_MLFLOW_URL names no MLflow server: a real one was not asked")
	}
	c, err := New(Config{URL: url, Experiment: "provenir-test", HTTP: &http.Client{Timeout: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	id := strings.ToLower(fmt.Sprintf("%026x", time.Now().UnixNano())) // the server outlives the test
	done, err := c.Send(t.Context(), id, strings.NewReader(jsonl(1500, false)))
	if err != nil || done.Sent != 1500 {
		t.Fatalf("%+v, %v", done, err)
	}
	// An answer that was lost: the mark is taken back, and the same values go a second time.
	mark := map[string]any{"run_id": done.Run, "tags": []keyed{{tagNext, "1000"}}}
	if err := c.call(t.Context(), http.MethodPost, "runs/log-batch", mark, nil); err != nil {
		t.Fatal(err)
	}
	if done, err = c.Send(t.Context(), id, strings.NewReader(jsonl(2500, true))); err != nil || done.Sent != 1500 || done.Skipped != 1000 {
		t.Fatalf("%+v, %v", done, err)
	}
	var got struct {
		Metrics []struct {
			Step  json.Number `json:"step"`
			Value any         `json:"value"`
		} `json:"metrics"`
	}
	if err := c.call(t.Context(), http.MethodGet, "metrics/get-history?max_results=25000&metric_key=reward.mean/batch_mean&run_id="+done.Run, nil, &got); err != nil {
		t.Fatal(err)
	}
	// step 1499 is NaN in the first export and a number in the second: two values, as it was sent.
	if len(got.Metrics) != 2501 {
		t.Errorf("%d values there, want 2501", len(got.Metrics))
	}
	for _, m := range got.Metrics {
		step, err := m.Step.Int64()
		if v, isNumber := m.Value.(float64); err != nil || isNumber && v != float64(step)+0.5 && v != 0 {
			t.Errorf("step %s reads %v", m.Step, m.Value)
		}
	}
}
