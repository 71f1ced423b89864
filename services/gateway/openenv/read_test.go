package openenv

import (
	"encoding/json"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestActions(t *testing.T) {
	for _, c := range []struct {
		name, data, want string
		code             code
	}{
		{"text", `{"text":"<b> & \u00e9"}`, "<b> & é", ""},
		{"a call", `{"tool":"put","arguments":{"n":12345678901234567890}}`, `{"tool":"put","args":{"n":12345678901234567890}}`, ""},
		{"a call without arguments", `{"tool":"put"}`, `{"tool":"put","args":{}}`, ""},
		{"OpenEnv's call", `{"type":"call_tool","tool_name":"put","arguments":{},"metadata":{"a":1}}`, `{"tool":"put","args":{}}`, ""},
		{"neither", `{}`, "", validationError},
		{"both", `{"text":"a","tool":"b"}`, "", validationError},
		{"both kinds of call", `{"type":"call_tool","tool_name":"a","tool":"b"}`, "", validationError},
		{"another type", `{"type":"list_tools"}`, "", validationError},
		{"arguments that are none", `{"tool":"put","arguments":[]}`, "", validationError},
		{"arguments of text", `{"text":"a","arguments":{}}`, "", validationError},
		{"a name that is none", `{"tool":{"a":1}}`, "", validationError},
		{"text that is none", `{"text":1}`, "", validationError},
		{"another key", `{"text":"a","reward":1}`, "", validationError},
		{"no object", `"text"`, "", validationError},
		{"a key twice", `{"text":"a","text":"b"}`, "", invalidJSON},
	} {
		got, bad := readAction([]byte(c.data))
		if bad != nil && bad.code != c.code || bad == nil && (c.code != "" || string(got) != c.want) {
			t.Errorf("%s: %s, %v", c.name, got, bad)
		}
	}
}

func TestResets(t *testing.T) {
	r, bad := readReset([]byte(`{"seed":18446744073709551615,"episode_id":null,"split":"dev","difficulty":10,"credit":"uniform"}`), "e")
	if bad != nil || r.GetSeed() != 1<<64-1 || r.GetSplit() != "dev" || r.GetDifficulty() != 10 || r.GetCredit() != "uniform" || r.GetEnvironment() != "e" {
		t.Errorf("%v, %v", r, bad)
	}
	a, _ := readReset(nil, "e")
	b, _ := readReset([]byte(`{"seed":null}`), "e")
	if a.GetSeed() == b.GetSeed() || a.GetSeed() > 1<<53 {
		t.Errorf("without a seed: %d and %d", a.GetSeed(), b.GetSeed())
	}
	for _, data := range []string{`{"seed":-1}`, `{"seed":1.5}`, `{"seed":1e3}`, `{"seed":"1"}`, `{"seed":18446744073709551616}`, `{"difficulty":11}`, `{"difficulty":65536}`,
		`{"episode_id":1}`, `{"hardness":3}`, `[]`, `1`, `{"episode_id":"` + strings.Repeat("x", 129) + `"}`} {
		if r, bad := readReset([]byte(data), "e"); bad == nil || bad.code != validationError {
			t.Errorf("%.60s: %v, %v", data, r, bad)
		}
	}
}

// A bomb costs its bytes and no more: it is refused, whatever it is made of.
func TestBombs(t *testing.T) {
	for name, raw := range map[string]string{
		"brackets":         strings.Repeat("[", maxMessage),
		"brackets in data": `{"type":"step","data":` + strings.Repeat(`{"a":`, 100_000),
		"keys":             `{"type":"step","data":{` + strings.Repeat(`"a":1,`, 100_000),
		"values":           `{"type":"step","data":{"tool":"x","arguments":{"a":[` + strings.Repeat("1,", 200_000) + `1]}}}`,
		"digits":           `{"type":"reset","data":{"seed":` + strings.Repeat("9", 100_000) + `}}`,
		"too large":        `{"type":"step","data":{"text":"` + strings.Repeat("a", maxMessage) + `"}}`,
	} {
		if _, _, bad := readFrame([]byte(raw), false); bad == nil || bad.code != invalidJSON || len(bad.message) > 200 {
			t.Errorf("%s: %v", name, bad)
		}
	}
}

func FuzzFrames(f *testing.F) {
	for _, seed := range []string{`{"type":"reset","data":{"seed":1}}`, `{"type":"step","data":{"text":"a"}}`, `{"type":"step","data":{"tool":"a","arguments":{"b":[1]}}}`,
		`{"type":"state"}`, `{"type":"close","data":{}}`, `{"type":"mcp","data":{"jsonrpc":"2.0"}}`, `[`, `{"type":1}`, `null`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		kind, data, bad := readFrame(raw, false)
		if bad != nil {
			if len(bad.message) > 500 || bad.fatal {
				t.Fatalf("%+v", bad)
			}
			return
		}
		switch kind {
		case "reset":
			if r, bad := readReset(data, "e"); bad == nil && (r.GetDifficulty() > 10 || len(r.GetEpisodeId()) > 128) {
				t.Fatalf("%v", r)
			}
		case "step":
			action, bad := readAction(data)
			if bad == nil && len(action) > 0 && action[0] == '{' && strings.HasPrefix(string(action), `{"tool":`) && strings.Contains(string(data), `"arguments"`) && !json.Valid(action) {
				t.Fatalf("the call %q is no JSON", action)
			}
		}
	})
}
