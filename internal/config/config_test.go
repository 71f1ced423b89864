package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "p.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOrigins(t *testing.T) {
	path := write(t, "data: /file\ngrpc:\n  listen: 127.0.0.1:1\nhttp.listen: 127.0.0.1:2\nlog:\n  level: info\n")
	env := func(name string) (string, bool) {
		v, ok := map[string]string{"PROVENIR_DATA": "/env", "PROVENIR_LOG_LEVEL": "debug"}[name]
		return v, ok
	}
	s, err := Resolve(Sources{Flags: map[string]string{"log.level": "error"}, Env: env, File: path})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]Value{
		"data":           {"/env", "env PROVENIR_DATA"},
		"grpc.listen":    {"127.0.0.1:1", path + ":3"},
		"http.listen":    {"127.0.0.1:2", path + ":4"},
		"log.level":      {"error", "flag"},
		"engine.threads": {"2", "default"},
	} {
		if s[key] != want {
			t.Errorf("%s: got %v, want %v", key, s[key], want)
		}
	}
	if s.TokenFile() != "/env/token" || s.Threads() != 2 {
		t.Errorf("token %s, threads %d", s.TokenFile(), s.Threads())
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "data: x\nhttp:\n  lisen: y\n", ":3: http.lisen: unknown key (did you mean http.listen?)"},
		{"twice", "grpc.listen: a\ngrpc:\n  listen: b\n", "given twice"},
		{"threads", "engine.threads: many\n", `:1: engine.threads: "many": want a number from 1 to 256`},
		{"level", "log.level: loud\n", "want debug, info, warn or error"},
		{"days of a lock", "recorder.ship.lock_days: long\n", "want a number of days"},
		{"bucket alone", "recorder.ship.bucket: b\n", "endpoint and bucket belong together"},
		{"months below the floor", "recorder.retain.events: 5\n", "at least 6, or never"},
		{"months that are none", "recorder.retain.events: 2y\n", "at least 6, or never"},
		{"interval of pieces", "recorder.ship.tail_every: often\n", "want a time as 5m"},
		{"time on the local disk", "recorder.ship.keep_local: 30d\n", "want a time as 720h"},
		{"no mapping", "just text\n", "want keys"},
		{"not YAML", "a: [\n", "p.yaml"},
	} {
		if _, err := Resolve(Sources{File: write(t, c.text)}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", c.name, err, c.want)
		}
	}
	if _, err := Resolve(Sources{File: filepath.Join(t.TempDir(), "absent.yaml")}); err == nil {
		t.Error("a named file that is absent was passed over")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("data: x\n")
	f.Add("grpc:\n  listen: [1, 2]\n")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := parse("f", []byte(text)); err == nil {
			for k := range s {
				if !strings.Contains(k, ".") && k != "data" {
					t.Errorf("key %q came through", k)
				}
			}
		}
	})
}
