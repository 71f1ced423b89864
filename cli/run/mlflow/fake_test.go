package mlflow

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// server behaves as MLflow's SQL store does: it refuses what MLflow refuses, drops a metric that it has, and lets a
// test lose answers.
type server struct {
	t           *testing.T
	mu          sync.Mutex
	experiments map[string]string
	runs        map[string]*stored
	batches     int
	fail        map[string]int  // calls of a path that answer 500 before anything is done
	lose        map[string]int  // calls of a path whose answer is lost after everything is done
	auth        map[string]bool // Authorization headers that came
}

type stored struct {
	experiment, status string
	tags               map[string]string
	metrics            map[string]bool // key, timestamp, value, step: the primary key there
}

func newServer(t *testing.T) (*server, string) {
	s := &server{t: t, experiments: map[string]string{}, runs: map[string]*stored{}, fail: map[string]int{}, lose: map[string]int{}, auth: map[string]bool{}}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return s, h.URL
}

type refusal struct {
	status        int
	code, message string
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/api/2.0/mlflow/")
	s.auth[r.Header.Get("Authorization")] = true
	if s.fail[path] > 0 {
		s.fail[path]--
		http.Error(w, "upstream is away", http.StatusBadGateway)
		return
	}
	body := map[string]any{}
	if r.Method == http.MethodPost {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			s.t.Errorf("%s: %v", path, err)
		}
	}
	answer, refused := s.do(r, path, body)
	if s.lose[path] > 0 {
		s.lose[path]--
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	if refused != nil {
		w.WriteHeader(refused.status)
		answer = map[string]string{"error_code": refused.code, "message": refused.message}
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		s.t.Error(err)
	}
}

func (s *server) do(r *http.Request, path string, body map[string]any) (any, *refusal) {
	switch path {
	case "experiments/get-by-name":
		id, ok := s.experiments[r.URL.Query().Get("experiment_name")]
		if !ok {
			return nil, &refusal{404, "RESOURCE_DOES_NOT_EXIST", "no such experiment"}
		}
		return map[string]any{"experiment": map[string]string{"experiment_id": id, "lifecycle_stage": "active"}}, nil
	case "experiments/create":
		name := body["name"].(string)
		s.experiments[name] = fmt.Sprint(len(s.experiments) + 1)
		return map[string]string{"experiment_id": s.experiments[name]}, nil
	case "runs/search":
		return s.search(body), nil
	case "runs/create":
		id := fmt.Sprintf("%032d", len(s.runs)+1)
		s.runs[id] = &stored{experiment: body["experiment_id"].(string), status: "RUNNING", tags: map[string]string{}, metrics: map[string]bool{}}
		s.tag(id, body)
		return map[string]any{"run": s.show(id)}, nil
	case "runs/log-batch":
		return s.logBatch(body)
	case "runs/update":
		s.runs[body["run_id"].(string)].status = body["status"].(string)
		return map[string]any{}, nil
	}
	return nil, &refusal{404, "ENDPOINT_NOT_FOUND", path}
}

func (s *server) tag(id string, body map[string]any) {
	tags, _ := body["tags"].([]any)
	for _, t := range tags {
		kv := t.(map[string]any)
		s.runs[id].tags[kv["key"].(string)] = kv["value"].(string)
	}
}

func (s *server) show(id string) any {
	var tags []keyed
	for k, v := range s.runs[id].tags {
		tags = append(tags, keyed{k, v})
	}
	return map[string]any{"info": map[string]string{"run_id": id}, "data": map[string]any{"tags": tags}}
}

var filter = regexp.MustCompile("^tags\\.`([^`]+)` = '([^']+)'$")

func (s *server) search(body map[string]any) any {
	m := filter.FindStringSubmatch(body["filter"].(string))
	if m == nil {
		s.t.Errorf("MLflow does not read the filter %v", body["filter"])
		return nil
	}
	runs := []any{}
	for id, r := range s.runs {
		if r.tags[m[1]] == m[2] && r.experiment == body["experiment_ids"].([]any)[0] {
			runs = append(runs, s.show(id))
		}
	}
	return map[string]any{"runs": runs}
}

var validKey = regexp.MustCompile(`^[/\w.\- :]*$`)

func (s *server) logBatch(body map[string]any) (any, *refusal) {
	metrics, _ := body["metrics"].([]any)
	tags, _ := body["tags"].([]any)
	if len(metrics)+len(tags) > 1000 {
		return nil, &refusal{400, "INVALID_PARAMETER_VALUE", "A batch logging request can contain at most 1000 metrics, params, and tags."}
	}
	s.batches++
	run := s.runs[body["run_id"].(string)]
	for _, m := range metrics {
		row := m.(map[string]any)
		if !validKey.MatchString(row["key"].(string)) {
			return nil, &refusal{400, "INVALID_PARAMETER_VALUE", "Invalid metric name"}
		}
		switch v := row["value"].(type) {
		case float64:
		case string:
			if v != "NaN" && v != "Infinity" && v != "-Infinity" {
				return nil, &refusal{400, "INVALID_PARAMETER_VALUE", "want a number"}
			}
		default:
			return nil, &refusal{400, "INVALID_PARAMETER_VALUE", "want a number"}
		}
		run.metrics[fmt.Sprintf("%v|%.0f|%v|%.0f", row["key"], row["timestamp"], row["value"], row["step"])] = true
	}
	s.tag(body["run_id"].(string), body)
	return map[string]any{}, nil
}
