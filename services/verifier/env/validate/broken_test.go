package validate

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is an OpenEnv server of a small game, written from the protocol and not from our own: count to 3. fault breaks
// one thing in it.
type server struct {
	fault string
	mu    sync.Mutex
	draws int
	total int // shared among connections, where that is the fault
	open  int
}

const places = 40

type table struct {
	seed, count int
	id          string
	done, begun bool
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	say := func(v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	type o = map[string]any
	switch r.URL.Path {
	case "/health":
		say(o{"status": "healthy"})
	case "/metadata":
		say(o{"name": "count", "description": "count to three"})
	case "/schema":
		say(o{"action": o{"type": "object", "properties": o{"add": o{"type": "integer", "minimum": 1}}, "required": []string{"add"}}, "observation": o{}, "state": o{}})
	case "/openapi.json":
		say(o{"info": o{"version": "1.0.0"}, "paths": o{"/reset": o{}, "/step": o{}, "/state": o{}}})
	case "/mcp":
		say(o{"jsonrpc": "2.0", "id": nil, "error": o{"code": -32600, "message": "no"}})
	case "/ws":
		s.ws(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (s *server) ws(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow() //nolint:errcheck // the client may have closed it
	s.mu.Lock()
	s.open++
	full := s.open > places
	s.mu.Unlock()
	if s.fault != "slots leak" {
		defer func() {
			s.mu.Lock()
			s.open--
			s.mu.Unlock()
		}()
	}
	write := func(text string) { _ = conn.Write(r.Context(), websocket.MessageText, []byte(text)) }
	if full {
		write(`{"type":"error","data":{"message":"full","code":"CAPACITY_REACHED"}}`)
		return
	}
	t := &table{}
	for {
		_, raw, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		answer := s.do(t, raw)
		if answer == "" {
			_ = conn.Close(websocket.StatusNormalClosure, "")
			return
		}
		write(answer)
		if s.fault == "errors close" && strings.Contains(answer, `"error"`) {
			return
		}
	}
}

func wrong(code string) string {
	return `{"type":"error","data":{"message":"no","code":"` + code + `"}}`
}

func (s *server) do(t *table, raw []byte) string {
	var m struct {
		Type string
		Data json.RawMessage
	}
	if json.Unmarshal(raw, &m) != nil {
		return wrong("INVALID_JSON")
	}
	switch m.Type {
	case "reset":
		var q struct {
			Seed    uint
			Episode string `json:"episode_id"`
		}
		if json.Unmarshal(m.Data, &q) != nil {
			return wrong("VALIDATION_ERROR")
		}
		keep := t.count
		*t = table{seed: int(q.Seed), id: q.Episode, begun: true}
		if s.fault == "resets leak" {
			t.count = keep
		}
	case "step":
		var q map[string]int
		add := 0
		if json.Unmarshal(m.Data, &q) == nil {
			add = q["add"]
		}
		if s.fault != "bad actions taken" && (add < 1 || len(q) != 1) {
			return wrong("VALIDATION_ERROR")
		}
		if !t.begun || t.done && s.fault != "no end" {
			return wrong("EXECUTION_ERROR")
		}
		t.count++
		s.mu.Lock()
		s.total++
		s.mu.Unlock()
		t.done = t.count >= 3
	case "state":
		return fmt.Sprintf(`{"type":"state","data":{"episode_id":%q,"step_count":%d}}`, t.id, t.count)
	case "close":
		return ""
	default:
		return wrong("UNKNOWN_TYPE")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draws++
	shown, extra := t.seed*10+t.count, ""
	switch {
	case s.fault == "not deterministic":
		shown = s.draws
	case s.fault == "episodes mix":
		shown = s.total % 1000
	case s.fault == "extra keys":
		extra = `,"info":{}`
	}
	reward := "null"
	if t.done {
		reward = "1"
	}
	if t.done && s.fault == "reward is NaN" {
		reward = "NaN"
	}
	return fmt.Sprintf(`{"type":"observation","data":{"observation":{"shown":%d},"reward":%s,"done":%v%s}}`, shown, reward, t.done, extra)
}

// Each server breaks one thing, and the rule that is about it says so; the same server without a fault holds all.
func TestBrokenServers(t *testing.T) {
	for _, c := range []struct {
		fault string
		rules []string // of these at least one is broken
	}{
		{"", nil},
		{"not deterministic", []string{"same_seed_same_observations"}},
		{"resets leak", []string{"reset_isolates"}},
		{"no end", []string{"end_is_an_end"}},
		{"errors close", []string{"error_leaves_the_episode_open", "raw_messages"}},
		{"episodes mix", []string{"episodes_side_by_side", "same_seed_same_observations"}},
		{"slots leak", []string{"dropped_connections_free_their_slot"}},
		{"bad actions taken", []string{"bad_action_is_an_error"}},
		{"extra keys", []string{"reset_begins"}},
		{"reward is NaN", []string{"reward_is_finite", "end_is_an_end"}},
	} {
		name := c.fault
		if name == "" {
			name = "nothing"
		}
		t.Run(name, func(t *testing.T) {
			h := httptest.NewServer(&server{fault: c.fault})
			defer h.Close()
			r, err := NewRemote(h.URL)
			if err != nil {
				t.Fatal(err)
			}
			found, err := Run(t.Context(), r, func(uint64, uint64, string) {})
			if err != nil {
				t.Fatal(err)
			}
			var broken []string
			for _, f := range found {
				if f.State != Held {
					broken = append(broken, f.Name+" "+f.State+": "+f.Detail)
				}
			}
			hit := slices.ContainsFunc(found, func(f Finding) bool { return f.State == Broken && slices.Contains(c.rules, f.Name) })
			if hit != (c.fault != "") || c.fault == "" && broken != nil {
				t.Errorf("broken: %s", strings.Join(broken, "\n"))
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	for _, address := range []string{"", "lookup", "ftp://x", "http://", "http:// x", "file:///etc/passwd"} {
		if _, err := NewRemote(address); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
	r, err := NewRemote("http://me:secret@127.0.0.1:1/prefix/")
	if err != nil || strings.Contains(r.base.String(), "secret") || r.header.Get("Authorization") == "" {
		t.Errorf("%v, %v", r, err)
	}
	if _, err := r.Open(t.Context()); err == nil {
		t.Error("nobody listens there")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ended, r, func(uint64, uint64, string) {}); err == nil {
		t.Error("a run that was cancelled has a report")
	}
}
