package sdk

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// readWandb reads the history of an offline run. Its file is a LevelDB log behind 7 bytes of header: blocks of 32 KiB with
// fragments of checksum, length and type; the records are messages of the package.
const readWandb = `
import glob, json, struct, sys
from wandb.proto import wandb_internal_pb2 as pb
data = open(glob.glob(sys.argv[1] + "/*.wandb")[0], "rb").read()
assert data[:4] == b":W&B", data[:4]
rows, record, at = [], b"", 7
while at + 7 <= len(data):
    room = 32768 - at % 32768
    if room < 7:
        at += room
        continue
    size, kind = struct.unpack("<HB", data[at + 4 : at + 7])
    if kind == 0:
        break
    record += data[at + 7 : at + 7 + size]
    at += 7 + size
    if kind in (1, 4):
        m = pb.Record()
        m.ParseFromString(record)
        record = b""
        if m.WhichOneof("record_type") == "history":
            rows.append({i.key or "/".join(i.nested_key): json.loads(i.value_json, parse_constant=str) for i in m.history.item})
print(json.dumps(rows))
`

// environment gives the interpreter that the verb starts what it needs.
func environment(t *testing.T, folders ...string) {
	t.Helper()
	var path []string
	for _, f := range append([]string{filepath.Join(source, "src")}, folders...) {
		abs, err := filepath.Abs(f)
		if err != nil {
			t.Fatal(err)
		}
		path = append(path, abs)
	}
	t.Setenv("PYTHONPATH", strings.Join(path, string(os.PathListSeparator)))
	t.Setenv("PYTHONDONTWRITEBYTECODE", "1")
}

func TestExportToWandb(t *testing.T) {
	python(t)
	data, spool, out := t.TempDir(), t.TempDir(), t.TempDir()
	run := recorded(t, spool)
	taken(t, data, spool)
	environment(t, filepath.Join(source, "tests", "fakes"))
	text, said, code := provenir(t, data, "run", "export", run, "--format", "wandb", "--out", out, "--json")
	var done struct {
		File          string
		Steps, Values uint64
	}
	if err := json.Unmarshal([]byte(text), &done); err != nil || code != 0 || done.Steps != 60 || done.Values != 240 {
		t.Fatalf("exit %d, %v: %s%s", code, err, text, said)
	}
	b, err := os.ReadFile(filepath.Join(done.File, "run.wandb"))
	if err != nil || !strings.Contains(string(b), `"loss.policy": "nan"`) || !strings.Contains(string(b), "kl_blowup") {
		t.Errorf("%v: %.300s", err, b)
	}
	if _, said, code := provenir(t, data, "run", "export", run, "--format", "wandb", "--out", out); code != 2 || !strings.Contains(said, "--force") {
		t.Errorf("again: exit %d: %s", code, said)
	}
}

// Without the package there is no file, an error that names what is missing, and exit 3.
func TestExportWithoutWandb(t *testing.T) {
	data, spool := t.TempDir(), t.TempDir()
	run := recorded(t, spool)
	taken(t, data, spool)
	broken, out := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "wandb.py"), []byte("raise ImportError('no wandb for a test')\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	environment(t, broken)
	_, said, code := provenir(t, data, "run", "export", run, "--format", "wandb", "--out", out)
	if left, err := os.ReadDir(out); code != 3 || !strings.Contains(said, "EXPORTER_UNAVAILABLE") || !strings.Contains(said, "no wandb for a test") || err != nil || len(left) != 0 {
		t.Errorf("exit %d: %s, %d files, %v", code, said, len(left), err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, said, code := provenir(t, data, "run", "export", run, "--format", "wandb", "--out", out); code != 3 || !strings.Contains(said, "EXPORTER_UNAVAILABLE") {
		t.Errorf("without Python: exit %d: %s", code, said)
	}
}

// The package itself reads back what it was given.
func TestExportToTheRealWandb(t *testing.T) {
	interpreter := os.Getenv("PROVENIR_TEST_WANDB_PYTHON")
	if interpreter == "" {
		t.Skip("PROVENIR_TEST_WANDB_PYTHON names no interpreter with wandb: its own files are not read back here")
	}
	data, spool, out := t.TempDir(), t.TempDir(), t.TempDir()
	run := recorded(t, spool)
	taken(t, data, spool)
	environment(t)
	t.Setenv("PATH", filepath.Dir(interpreter)+string(os.PathListSeparator)+os.Getenv("PATH"))
	text, said, code := provenir(t, data, "run", "export", run, "--format", "wandb", "--out", out, "--json")
	var done struct{ File string }
	if err := json.Unmarshal([]byte(text), &done); err != nil || code != 0 {
		t.Fatalf("exit %d, %v: %s%s", code, err, text, said)
	}
	b, err := script(t.Context(), t, nil, "-c", readWandb, done.File).Output()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]any
	if err := json.Unmarshal(b, &rows); err != nil || len(rows) != 60 || rows[59]["kl.ref"] != 3.0 || rows[59]["rl/step"] != 59.0 || rows[50]["loss.policy"] != "NaN" {
		t.Errorf("%v, %d rows: %.300s", err, len(rows), b)
	}
}

// A scraper of one run gets it through the gateway.
func TestScrapeARun(t *testing.T) {
	m := serve(t)
	const ask = `
import provenir, sys
from provenir.rest import Rest
with provenir.track("scraped", server=sys.argv[1]) as run:
    for i in range(30): run.log_step(i, kl=0.01)
rest = Rest(sys.argv[1])
import http.client, os
c = http.client.HTTPConnection(rest.url.netloc)
c.request("GET", "/v1/runs/%s/openmetrics" % run.run, headers={"Authorization": "Bearer " + os.environ["PROVENIR_TOKEN"]})
a = c.getresponse()
print(a.status, a.headers["Content-Type"])
print(a.read().decode())
`
	out, err := script(t.Context(), t, []string{"PROVENIR_TOKEN=" + m.Token()}, "-c", ask, "http://"+m.Addresses().HTTP).CombinedOutput()
	text := string(out)
	if err != nil || !strings.HasPrefix(text, "200 application/openmetrics-text; version=1.0.0") || !strings.Contains(text, "provenir_kl_ref{") || !strings.HasSuffix(strings.TrimSpace(text), "# EOF") {
		t.Errorf("%v: %s", err, text)
	}
}

// A collector gets a tracked run, and a collector that refuses is no export.
func TestExportToACollector(t *testing.T) {
	data, spool := t.TempDir(), t.TempDir()
	run := recorded(t, spool)
	taken(t, data, spool)
	var paths []string
	refuse := false
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuse {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		paths = append(paths, r.URL.Path)
	}))
	defer collector.Close()
	out, said, code := provenir(t, data, "run", "export", run, "--format", "otlp", "--to", collector.URL, "--json")
	var done struct{ Steps, Values, Incidents, Gauges, Undated uint64 }
	if err := json.Unmarshal([]byte(out), &done); err != nil || code != 0 || done.Steps != 60 || done.Values != 240 || done.Gauges != 4 || done.Incidents == 0 || done.Undated != 0 {
		t.Errorf("exit %d, %v: %s%s", code, err, out, said)
	}
	if got := strings.Join(paths, " "); got != "/v1/logs /v1/metrics" {
		t.Errorf("asked %s", got)
	}
	refuse = true
	if _, said, code := provenir(t, data, "run", "export", run, "--format", "otlp", "--to", collector.URL); code != 3 || !strings.Contains(said, "403") {
		t.Errorf("refused: exit %d: %s", code, said)
	}
}
