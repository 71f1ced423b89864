package rewardhttp

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/provenir/provenir/internal/grpctest"
)

const gym = `{"responses_create_params":{"input":"2+2?"},"response":{"output":[{"type":"reasoning","content":[]},` +
	`{"type":"message","role":"assistant","content":[{"type":"output_text","text":"4"}]},{"type":"function_call","name":"x"}]},"expected_answer":"4","big":12345678901234567890}`

func TestGetReward(t *testing.T) {
	e := newEdge(t)
	body := `{"query":["Q: 4","Q: 5"],"prompts":["Q: ","Q: "],"labels":["4","4"]}`
	for range 2 { // a repeat is answered from what was answered
		code, header, got := e.call("/get_reward?spec=math", body)
		if code != 200 || got != `{"rewards":[1,0],"scores":[1,0],"extra_logs":{"passed":[1,0]}}` || header.Get("Provenir-Recorded") != "false" {
			t.Errorf("%d %v %s", code, header, got)
		}
	}
	if e.judged != 2 {
		t.Errorf("%d rows were judged, want 2", e.judged)
	}
	// What may still come is put off three times, and then named; a 0 is never given.
	busy := `{"query":["Q: busy","Q: 4"],"prompts":["Q: ","Q: "],"labels":["4","4"]}`
	for i := range 5 {
		code, header, got := e.call("/get_reward?spec=math", busy)
		want := 503
		if i >= 3 {
			want = 422
		}
		if code != want || (header.Get("Retry-After") != "") != (want == 503) || !strings.Contains(got, `"rows":[{"row":0,"reason":"overloaded"`) || strings.Contains(got, "rewards") {
			t.Errorf("try %d: %d %v %s", i, code, header, got)
		}
	}
	for _, c := range []struct {
		name, path, body string
		code             int
		want             string
	}{
		{"never to be judged", "/get_reward?spec=math", `{"query":["a"],"prompts":["a"],"labels":[null]}`, 422, "bad_reference"},
		{"both kinds", "/get_reward?spec=math", `{"query":["busy","a"],"prompts":["","a"],"labels":["1",""]}`, 422, "bad_reference"},
		{"a query without its prompt", "/get_reward?spec=math", `{"query":["4"],"prompts":["Q: "],"labels":["4"]}`, 422, "bad_row"},
		{"lengths that differ", "/get_reward?spec=math", `{"query":["4"],"prompts":[],"labels":["4"]}`, 400, "INVALID_ARGUMENT"},
		{"no rows", "/get_reward?spec=math", `{"query":[],"prompts":[],"labels":[]}`, 400, "INVALID_ARGUMENT"},
		{"no verifier", "/get_reward", body, 400, "BAD_SPEC"},
		{"an unknown verifier", "/get_reward?spec=unknown", body, 400, "UNKNOWN_VERIFIER"},
		{"no JSON", "/get_reward?spec=math", `{"query":`, 400, "INVALID_ARGUMENT"},
		{"a key twice", "/get_reward?spec=math", `{"query":[],"query":[]}`, 400, "INVALID_ARGUMENT"},
		{"brackets", "/get_reward?spec=math", strings.Repeat("[", 1<<20), 400, "INVALID_ARGUMENT"},
	} {
		if code, _, got := e.call(c.path, c.body); code != c.code || !strings.Contains(got, c.want) {
			t.Errorf("%s: %d %s", c.name, code, got)
		}
	}
}

func TestNeMoGym(t *testing.T) {
	e := newEdge(t)
	code, header, got := e.call("/verify?spec=math", gym)
	if code != 200 || !strings.Contains(got, `"reward":1`) || !strings.Contains(got, `"big":12345678901234567890`) || header.Get("Provenir-Recorded") != "false" {
		t.Errorf("%d %s", code, got)
	}
	// The caller's own reward counts for nothing.
	code, _, got = e.call("/verify?spec=math", strings.Replace(gym, `"expected_answer":"4"`, `"expected_answer":"5","reward":1`, 1))
	if code != 200 || !strings.Contains(got, `"reward":0`) {
		t.Errorf("%d %s", code, got)
	}
	code, _, got = e.call("/verify?spec=math", strings.Replace(gym, `"text":"4"`, `"text":"busy"`, 1))
	if code != 502 || !strings.Contains(got, `"failure_class":"overloaded"`) || strings.Contains(got, "reward") {
		t.Errorf("%d %s", code, got)
	}
	if code, _, got := e.call("/verify?spec=math", `{"response":{}}`); code != 400 {
		t.Errorf("%d %s", code, got)
	}
	if code, _, got := e.call("/seed_session", `{"a":1}`); code != 200 || got != "{}" {
		t.Errorf("%d %s", code, got)
	}
}

func TestRunCode(t *testing.T) {
	e := newEdge(t)
	for _, c := range []struct {
		name, body string
		code       int
		want       []string
	}{
		{"success", `{"code":"works","language":"python","run_timeout":2.5,"memory_limit_MB":-1,"stdin":"in","args":["a"],"files":{},"compile_timeout":10}`, 200,
			[]string{`"status":"Success"`, `"status":"Finished"`, `"return_code":0`, `"stdout":"out�in"`, `"compile_result":null`, `"files":{}`}},
		{"failure", `{"code":"fails","language":"python"}`, 200, []string{`"status":"Failed"`, `"status":"Finished"`, `"return_code":1`}},
		{"too long", `{"code":"loops","language":"python"}`, 200, []string{`"status":"Failed"`, `"status":"TimeLimitExceeded"`, `"return_code":null`}},
		{"too much memory", `{"code":"eats","language":"python"}`, 200, []string{`"status":"Failed"`, `"message":"memory_limit"`, `"return_code":-9`}},
		{"no program", `{"code":"is no program","language":"cpp"}`, 200, []string{`"status":"Failed"`, `"run_result":null`, `"stderr":"line 1"`}},
		{"no sandbox", `{"code":"finds no sandbox","language":"python"}`, 200, []string{`"status":"SandboxError"`, `ISOLATION_UNAVAILABLE`, `"run_result":null`}},
		{"no code", `{"language":"python"}`, 400, []string{"INVALID_ARGUMENT"}},
		{"files", `{"code":"copies","language":"python","files":{"a":"aGk=","b":null,"c/d":"AA=="},"fetch_files":["z"]}`, 200, []string{`"files":{"a":"aGk=","c/d":"AA=="}`}},
		{"a file that is no base64", `{"code":"works","language":"python","files":{"a":"!"}}`, 400, []string{"INVALID_ARGUMENT"}},
		{"long compiling", `{"code":"compiles for long","language":"cpp","compile_timeout":60}`, 200, []string{`"compile_result":{"status":"TimeLimitExceeded"`, `"run_result":null`}},
		{"no time to compile", `{"code":"works","language":"cpp","compile_timeout":0}`, 400, []string{"INVALID_ARGUMENT"}},
		{"no time", `{"code":"works","language":"python","run_timeout":0}`, 400, []string{"INVALID_ARGUMENT"}},
		{"a huge time", `{"code":"works","language":"python","run_timeout":1e300}`, 400, []string{"INVALID_ARGUMENT"}},
		{"half a megabyte", `{"code":"works","language":"python","memory_limit_MB":0.5}`, 400, []string{"INVALID_ARGUMENT"}},
	} {
		code, header, got := e.call("/run_code", c.body)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %d %s has no %s", c.name, code, got, want)
			}
		}
		if code != c.code || header.Get("Provenir-Recorded") != "false" || (c.name == "success") && header.Get("Provenir-Tier") != "3" {
			t.Errorf("%s: %d %v", c.name, code, header)
		}
	}
	e.call("/run_code", `{"code":"works","language":"Python","run_timeout":2.5,"memory_limit_MB":64}`)
	if r := e.ran; r.GetLanguage() != "python" || r.GetTimeout().AsDuration().Milliseconds() != 2500 || r.GetMemoryMb() != 64 {
		t.Errorf("%v", r)
	}
}

// Every call asks who calls, and one that names a run is refused and not quietly left unrecorded.
func TestCredentialsAndRuns(t *testing.T) {
	e := newEdge(t)
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("me:"+grpctest.Token))
	for path, body := range map[string]string{"/get_reward?spec=math": `{"query":["4"],"prompts":[""],"labels":["4"]}`, "/verify?spec=math": gym,
		"/seed_session": "{}", "/run_code": `{"code":"works"}`} {
		for header, want := range map[string]int{"": 401, "Bearer wrong": 401, "Basic x": 401, basic: 200} {
			if code, _, got := e.call(path, body, "Authorization", header); code != want {
				t.Errorf("%s with %q: %d %s", path, header, code, got)
			}
		}
		if code, _, got := e.call(path, body, "Origin", "https://evil.example", "Authorization", basic); code != 403 {
			t.Errorf("%s from a page elsewhere: %d %s", path, code, got)
		}
		judged := e.judged
		for _, c := range [][3]string{{"/v1/runs/06e8k" + path, "", ""}, {path, "Provenir-Run", "06e8k"}, {path + map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "run=x", "", ""}} {
			headers := []string{}
			if c[1] != "" {
				headers = []string{c[1], c[2]}
			}
			code, header, got := e.call(c[0], body, headers...)
			if code != 501 || !strings.Contains(got, "OPTION_UNSUPPORTED") || header.Get("Provenir-Recorded") != "false" || e.judged != judged {
				t.Errorf("%v: %d %v %s", c, code, header, got)
			}
		}
		if code, _, _ := e.call("/v1/runs/06e8k"+path, body, "Authorization", ""); code != 401 {
			t.Errorf("%s of a run without a credential: %d", path, code)
		}
	}
}
