package sdk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/provenir/provenir/cli"
	"github.com/provenir/provenir/cli/app"
)

// provenir runs a verb as people do.
func provenir(t *testing.T, data string, args ...string) (out, said string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	a := &app.App{In: strings.NewReader(""), Out: &stdout, Err: &stderr, Env: func(string) (string, bool) { return "", false }}
	root := cli.NewCommand(a)
	root.SetArgs(append([]string{"--data", data}, args...))
	err := root.ExecuteContext(t.Context())
	if err != nil {
		fmt.Fprintln(&stderr, app.Message(err))
	}
	return stdout.String(), stderr.String(), app.Code(err)
}

type result struct {
	Run     string `json:"run"`
	Rows    uint64 `json:"rows"`
	New     uint64 `json:"new"`
	Steps   uint64 `json:"steps"`
	Ended   bool   `json:"ended"`
	Partial bool   `json:"partial"`
	Verdict string `json:"verdict"`
	Torn    *struct {
		Line, Bytes uint64
	} `json:"torn"`
}

// taken imports a spool that can be.
func taken(t *testing.T, data string, args ...string) result {
	t.Helper()
	out, said, code := provenir(t, data, append([]string{"ledger", "import", "--json"}, args...)...)
	var r result
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 {
		t.Fatalf("exit %d, %v: %s%s", code, err, out, said)
	}
	return r
}

// eventsRoot is the root of a run's events, from a check of the folder.
func eventsRoot(t *testing.T, data, run string) string {
	t.Helper()
	out, said, code := provenir(t, data, "ledger", "verify", "--json", filepath.Join(data, "ledger", "default", run), "--vkey", filepath.Join(data, "keys", "ledger.vkey"))
	var doc struct {
		Logs []struct {
			Records uint64
			Root    []byte
		} `json:"logs"`
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || code != 0 || len(doc.Logs) != 3 {
		t.Fatalf("exit %d, %v: %s%s", code, err, out, said)
	}
	return fmt.Sprintf("%d %x", doc.Logs[0].Records, doc.Logs[0].Root)
}

// loop is a training loop of ten steps a call, whose KL leaves its reference at step 40.
const loop = `
import provenir, sys
cfg = {"spool": sys.argv[1], "method": "grpo", "lr": 1e-6}
if len(sys.argv) > 2: cfg["server"] = sys.argv[2]
with provenir.track("blow-up", **cfg) as run:
    for i in range(60):
        run.log_step(i, kl=0.01 if i < 40 else 3.0, entropy=1.2, reward_mean=0.3, loss=float("nan") if i == 50 else 0.1)
    run.log_trajectory("4", prompt="2+2", reward=1, passed=True, id="a")
    run.record_eval({"accuracy": 0.5}, n=10)
print(run.run)
`

func recorded(t *testing.T, args ...string) string {
	t.Helper()
	out, err := script(t.Context(), t, nil, append([]string{"-c", loop}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Fields(string(out))
	return lines[len(lines)-1]
}

// A spool is taken in once, judged on the way, and read by the verbs that read any run.
func TestImport(t *testing.T) {
	data, spool := t.TempDir(), t.TempDir()
	run := recorded(t, spool)
	first := taken(t, data, spool)
	if first.Run != run || first.Rows != 66 || first.New != 66 || first.Steps != 60 || first.Verdict != "critical" || !first.Ended || first.Partial || first.Torn != nil {
		t.Errorf("%+v", first)
	}
	root := eventsRoot(t, data, run)
	if again := taken(t, data, spool); again.New != 0 || again.Rows != 66 || eventsRoot(t, data, run) != root {
		t.Errorf("a second import changed something: %+v", again)
	}
	out, said, code := provenir(t, data, "anomalies", "--run", run)
	if code != 0 || !strings.Contains(out, "kl_blowup") || !strings.Contains(out, "non_finite") {
		t.Errorf("anomalies: exit %d: %s%s", code, out, said)
	}
	if out, said, code = provenir(t, data, "diagnose", run); code != 0 || !strings.Contains(out, "algorithm: stabilize") {
		t.Errorf("diagnose: exit %d: %s%s", code, out, said)
	}
	page := filepath.Join(t.TempDir(), "run.html")
	if out, said, code = provenir(t, data, "report", run, "--out", page); code != 0 {
		t.Errorf("report: exit %d: %s%s", code, out, said)
	}
	if b, err := os.ReadFile(page); err != nil || !bytes.Contains(b, []byte("kl_blowup")) {
		t.Errorf("the report: %v", err)
	}
	if out, _, code = provenir(t, data, "run", "export", run, "--format", "csv", "--out", "-"); code != 0 || !strings.Contains(out, "kl.ref") {
		t.Errorf("export: exit %d", code)
	}
}

// The same loop recorded by a server and from a spool ends with the same root.
func TestLiveAndSpooledAreEqual(t *testing.T) {
	m := serve(t)
	data, spool := t.TempDir(), t.TempDir()
	spooled := recorded(t, spool)
	taken(t, data, spool)
	cmd := script(t.Context(), t, []string{"PROVENIR_TOKEN=" + m.Token()}, "-c", loop, t.TempDir(), "http://"+m.Addresses().HTTP)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Fields(string(out))
	live := lines[len(lines)-1]
	conn, err := m.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if a, b := eventsRoot(t, data, spooled), checkpointOf(t, conn, live); a != b {
		t.Errorf("spooled %s, live %s", a, b)
	}
}

// endless logs until it is killed; it prints how many bytes the disk has, after each time it was asked.
const endless = `
import os, sys, time, provenir
run, sync = None, os.fsync
def synced(fd):
    sync(fd)
    if run: print(run._sink._good, flush=True)
os.fsync = synced
run = provenir.track("killed", spool=sys.argv[1]).start()
i = 0
while True:
    run.log_step(i, kl=0.01, entropy=1.5)
    i += 1
    time.sleep(0.0005)
`

// A process that is killed loses nothing that it had synced. What it has left is taken in, goes on in another process, and
// ends as if nothing had been.
func TestKilled(t *testing.T) {
	spool, data := t.TempDir(), t.TempDir()
	cmd := script(t.Context(), t, nil, "-c", endless, spool)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var synced int
	for range 2 {
		var text string
		if _, err := fmt.Fscanln(out, &text); err != nil {
			t.Fatal(err)
		}
		if synced, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	files, err := filepath.Glob(filepath.Join(spool, "*.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil || len(b) < synced {
		t.Fatalf("%d bytes are left of %d that were synced: %v", len(b), synced, err)
	}
	whole := uint64(bytes.Count(b[:synced], []byte("\n")))
	if whole < 100 {
		t.Fatalf("only %d rows were synced: the test would show nothing", whole)
	}
	if err := os.WriteFile(files[0], append(b[:bytes.LastIndexByte(b, '\n')+1], `{"seq":99`...), 0o600); err != nil { // and its last write was torn
		t.Fatal(err)
	}
	first := taken(t, data, files[0])
	if first.Rows < whole || first.New != first.Rows || first.Ended || !first.Partial || first.Torn == nil || first.Torn.Bytes != 9 {
		t.Errorf("%+v, want at least %d rows and a torn line", first, whole)
	}
	goOn := "import provenir, sys\nwith provenir.track('killed', spool=sys.argv[1], run=sys.argv[2]) as run:\n  run.log_step(0, kl=0.01)\n"
	if out, err := script(t.Context(), t, nil, "-c", goOn, spool, first.Run).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rest := taken(t, data, files[0])
	if rest.New != 2 || rest.Rows != first.Rows+2 || !rest.Ended || rest.Partial {
		t.Errorf("the spool has grown by two rows: %+v, then %+v", first, rest)
	}
	other := t.TempDir()
	if taken(t, other, files[0]); eventsRoot(t, data, first.Run) != eventsRoot(t, other, first.Run) {
		t.Error("taken in twice and at once, the roots differ")
	}
}

func TestDamagedSpools(t *testing.T) {
	data, spool := t.TempDir(), t.TempDir()
	run := recorded(t, spool)
	file := filepath.Join(spool, run+".jsonl")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(b), "\n")
	cut := func(from, to int) string {
		return strings.Join(append(append([]string{}, lines[:from]...), lines[to:]...), "")
	}
	taken(t, data, file)
	for name, c := range map[string]struct {
		text, says string
		code       int
	}{
		"a flipped byte":   {strings.Replace(string(b), `"type":"eval"`, `"type":"evil"`, 1), "line 65", 2},
		"a missing row":    {cut(10, 11), "line 11", 2},
		"half a row":       {strings.Replace(string(b), lines[20], lines[20][:30]+"\n", 1), "line 21", 2},
		"nothing":          {"", "no whole row", 2},
		"another engine":   {strings.Replace(string(b), `"step":3,"metrics"`, `"step":3,"engine":"jax","metrics"`, 1), "line 6: ", 2},
		"a changed number": {strings.Replace(string(b), `"kl":0.01`, `"kl":0.02`, 1), "DIVERGENT_REPLAY", 1},
		"a later row":      {cut(len(lines)-2, len(lines)-1) + `{"seq":65,"type":"config","config":{}}` + "\n" + `{"seq":66,"type":"config","config":{}}` + "\n", "line 0", 1},
	} {
		bad := filepath.Join(t.TempDir(), "bad.jsonl")
		if err := os.WriteFile(bad, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, said, code := provenir(t, data, "ledger", "import", bad)
		if name == "a later row" {
			c.says = "sealed"
		}
		if code != c.code || !strings.Contains(said, c.says) || out != "" {
			t.Errorf("%s: exit %d, want %d and %q: %s%s", name, code, c.code, c.says, out, said)
		}
	}
	for _, args := range [][]string{{"ledger", "import"}, {"ledger", "import", "no-such-file"}, {"ledger", "import", t.TempDir()}} {
		if _, said, code := provenir(t, data, args...); code != 2 {
			t.Errorf("%v: exit %d: %s", args, code, said)
		}
	}
}

// away logs against a server that goes away before the run ends.
const away = `
import sys, provenir
provenir.tracker.CLOSE_TIMEOUT = 0.5
run = provenir.track("left alone", spool=sys.argv[1], server=sys.argv[2]).start()
for i in range(5): run.log_step(i, kl=0.01)
while run._writer._rows: pass
print(run.run, flush=True)
sys.stdin.readline()
for i in range(5, 10): run.log_step(i, kl=0.01)
run.close()
print(run.spool, flush=True)
`

// What a server did not take before it went away waits in a file, and belongs to that server's run.
func TestTheRestOfARun(t *testing.T) {
	m, data := serveOn(t, t.TempDir())
	spool := t.TempDir()
	cmd := script(t.Context(), t, []string{"PROVENIR_TOKEN=" + m.Token()}, "-c", away, spool, "http://"+m.Addresses().HTTP)
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	var run, file string
	if _, err := fmt.Fscanln(out, &run); err != nil {
		t.Fatal(err)
	}
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fscanln(out, &file); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, said, code := provenir(t, t.TempDir(), "ledger", "import", file); code != 2 || !strings.Contains(said, "import it there") {
		t.Errorf("where nobody knows the run: exit %d: %s", code, said)
	}
	got := taken(t, data, file)
	if got.Run != run || got.New != 6 || got.Steps != 10 || !got.Ended || got.Partial {
		t.Errorf("%+v", got)
	}
	if again := taken(t, data, file); again.New != 0 {
		t.Errorf("again: %+v", again)
	}
}
