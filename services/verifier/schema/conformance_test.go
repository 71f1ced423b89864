package schema

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// The official JSON Schema test suite comes with a Go module, pinned by its hash; nothing of it lies in this repository.
const (
	suiteModule = "github.com/google/jsonschema-go@v0.4.3"
	suiteSum    = "h1:/DBOLZTfDow7pe2GmaJNhltueGTtDKICi8V8p+DQPd0="
)

// suite gives the folder of the module's test data.
func suite(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", suiteModule)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	out, err := cmd.Output()
	var module struct{ Dir, Sum string }
	if err != nil || json.Unmarshal(out, &module) != nil {
		t.Skipf("the official test suite is not here: %s could not be downloaded: %v", suiteModule, err)
	}
	if module.Sum != suiteSum {
		t.Fatalf("%s has sum %s, want %s", suiteModule, module.Sum, suiteSum)
	}
	return filepath.Join(module.Dir, "jsonschema", "testdata")
}

type suiteCase struct {
	Description string          `json:"description"`
	Schema      json.RawMessage `json:"schema"`
	Tests       []struct {
		Description string          `json:"description"`
		Data        json.RawMessage `json:"data"`
		Valid       bool            `json:"valid"`
	} `json:"tests"`
}

// Every required case gives the verdict that the suite says. A schema that refers to an address elsewhere is refused
// instead, whatever lies there.
func TestOfficialSuite(t *testing.T) {
	dir := suite(t)
	for _, draft := range []struct {
		name, uri     string
		least, remote int
	}{
		{"draft2020-12", "https://json-schema.org/draft/2020-12/schema", 1000, 1},
		{"draft7", "http://json-schema.org/draft-07/schema#", 800, 1},
	} {
		t.Run(draft.name, func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join(dir, draft.name, "*.json"))
			if err != nil || len(files) < 30 {
				t.Fatalf("%d files, %v", len(files), err)
			}
			judged, remote := 0, 0
			for _, file := range files {
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				var cases []suiteCase
				if err := json.Unmarshal(b, &cases); err != nil {
					t.Fatalf("%s: %v", file, err)
				}
				for _, c := range cases {
					name := filepath.Base(file) + ": " + c.Description
					j, err := New("json_schema", spec.Values{"schema": string(declare(t, c.Schema, draft.uri)), "fences": "forbid"})
					if errors.Is(err, errRemote) && strings.Contains(string(c.Schema), "http") {
						remote++
						continue
					}
					if err != nil {
						t.Errorf("%s: %v", name, err)
						continue
					}
					for _, tt := range c.Tests {
						v := j.Judge(&verdict.Candidate{Response: string(tt.Data)})
						if s, scored := v.Scored(); !scored || s.Passed != tt.Valid {
							t.Errorf("%s: %s: %+v, want valid %v", name, tt.Description, v, tt.Valid)
						}
						judged++
					}
				}
			}
			if judged < draft.least || remote < draft.remote {
				t.Errorf("%d cases were judged and %d schemas refused, want at least %d and %d", judged, remote, draft.least, draft.remote)
			}
			t.Logf("%d cases hold, %d schemas that refer elsewhere were refused", judged, remote)
		})
	}
}

// declare writes $schema into a schema that is an object, where it has none: the suite says the draft by its folder.
func declare(t *testing.T, raw json.RawMessage, uri string) json.RawMessage {
	t.Helper()
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return raw
	}
	if _, there := object["$schema"]; there {
		return raw
	}
	object["$schema"], _ = json.Marshal(uri)
	b, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
