package spool

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

const run = "g6h19s46h7v7tbftq8wmc85198"

const (
	open  = `{"seq":0,"type":"open","format":"provenir.track/v1","run":"` + run + `","epoch":5,"name":"n","limits":{"kl_max":1}}`
	step1 = `{"seq":1,"type":"step","step":0,"metrics":{"kl":0.5,"loss":"NaN","x":1e999,"y":"-Infinity"}}`
	end2  = `{"seq":2,"type":"close","outcome":"completed"}`
)

func TestParse(t *testing.T) {
	r, err := Parse([]byte(step1))
	if err != nil {
		t.Fatal(err)
	}
	if r.Seq != 1 || len(r.Metrics) != 4 || r.Metrics[0].X != 0.5 || !math.IsNaN(r.Metrics[1].X) || !math.IsInf(r.Metrics[2].X, 1) || !math.IsInf(r.Metrics[3].X, -1) {
		t.Errorf("%+v", r)
	}
	if r, err = Parse([]byte(open)); err != nil || r.Limits["kl_max"] != 1 || r.Epoch != 5 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ row, says string }{
		"no JSON":            {`{"seq":1`, "at byte"},
		"a key twice":        {`{"seq":1,"seq":2,"type":"config","config":{}}`, "twice"},
		"another type":       {`{"seq":1,"type":"metric"}`, `type "metric"`},
		"a member too many":  {`{"seq":1,"type":"config","config":{},"reward":1}`, `no "reward"`},
		"other letters":      {`{"seq":1,"type":"config","Config":{}}`, `no "Config"`},
		"no seq":             {`{"type":"config","config":{}}`, "seq is missing"},
		"a negative seq":     {`{"seq":-1,"type":"config","config":{}}`, "-1"},
		"a list as config":   {`{"seq":1,"type":"config","config":[]}`, "want an object"},
		"a text as value":    {`{"seq":1,"type":"step","step":0,"metrics":{"kl":"0.5"}}`, "metrics.kl"},
		"an object as value": {`{"seq":1,"type":"step","step":0,"metrics":{"kl":{}}}`, "metrics.kl"},
		"true":               {`{"seq":1,"type":"step","step":0,"metrics":{"kl":true}}`, "metrics.kl"},
		"null":               {`{"seq":1,"type":"step","step":0,"metrics":{"kl":null}}`, "metrics.kl"},
		"half a step":        {`{"seq":1,"type":"step","step":0.5,"metrics":{}}`, "0.5"},
		"no metrics":         {`{"seq":1,"type":"step","step":0}`, "metrics"},
		"a verdict of none":  {`{"seq":1,"type":"verdict","reward":1}`, "id and reward"},
		"no reward":          {`{"seq":1,"type":"verdict","id":"a"}`, "id and reward"},
		"a role":             {`{"seq":1,"type":"rollout","id":"a","turns":[{"role":"judge","text":""}]}`, "role"},
		"an outcome":         {`{"seq":1,"type":"close","outcome":"fine"}`, "outcome"},
		"another format":     {strings.Replace(open, "/v1", "/v9", 1), "format"},
		"a run of the mesh":  {strings.Replace(open, run, "0"+run[1:], 1), "no id of a tracked run"},
		"open in the middle": {strings.Replace(open, `"seq":0`, `"seq":4`, 1), "row 0"},
		"no epoch":           {strings.Replace(open, `"epoch":5`, `"epoch":0`, 1), "epoch"},
		"a long key":         {`{"seq":1,"type":"step","step":0,"metrics":{"` + strings.Repeat("k", 257) + `":1}}`, "257"},
	} {
		if _, err := Parse([]byte(c.row)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want one that says %q", name, err, c.says)
		}
	}
}

func read(text string) (rows int, r *Reader, err error) {
	r = NewReader(strings.NewReader(text))
	for {
		_, err = r.Next()
		if errors.Is(err, io.EOF) {
			return rows, r, nil
		}
		if err != nil {
			return rows, r, err
		}
		rows++
	}
}

// A file that is cut at any byte is read up to its last whole row, and what is cut off is named.
func TestTornAtEveryByte(t *testing.T) {
	whole := open + "\n" + step1 + "\n" + end2 + "\n"
	for n := 1; n <= len(whole); n++ {
		rows, r, err := read(whole[:n])
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		want := strings.Count(whole[:n], "\n")
		if whole[n-1] == '}' && n+1 <= len(whole) && whole[n] == '\n' {
			want++ // only the newline is missing
		}
		if rows != want || (r.Torn() != nil) != (n > 0 && whole[n-1] != '\n' && whole[n-1:min(n+1, len(whole))] != "}\n") {
			t.Errorf("%d bytes: %d rows, want %d, torn %v", n, rows, want, r.Torn())
		}
	}
	if rows, r, err := read(open + "\n" + step1 + "\n" + strings.Repeat("\x00", 100)); rows != 2 || err != nil || r.Torn().Line != 3 || r.Torn().Bytes != 100 {
		t.Errorf("zeros at the end: %d rows, %v, %v", rows, r.Torn(), err)
	}
}

func TestDamageInTheMiddle(t *testing.T) {
	resume := `{"type":"resume","format":"provenir.track/v1","run":"` + run + `","epoch":7}`
	for name, c := range map[string]struct {
		text, says string
	}{
		"half a row":            {open + "\n" + step1[:20] + "\n" + end2 + "\n", "line 2: "},
		"a row is missing":      {open + "\n" + end2 + "\n", "line 2: seq 2, want 1"},
		"a row is twice":        {open + "\n" + step1 + "\n" + step1 + "\n", "line 3: seq 1, want 2"},
		"no open":               {step1 + "\n", "line 1: a spool begins with open"},
		"two opens":             {open + "\n" + open + "\n", "line 2: a second open"},
		"a row behind the end":  {open + "\n" + step1 + "\n" + end2 + "\n" + step1 + "\n", "line 4: a row behind close"},
		"an empty line":         {open + "\n\n" + step1 + "\n", "line 2: "},
		"a flipped byte":        {open + "\n" + strings.Replace(step1, "step", "stop", 1) + "\n" + end2 + "\n", "line 2: "},
		"another run":           {open + "\n" + strings.Replace(resume, run, "h"+run[1:], 1) + "\n", "line 2: run h"},
		"an older process":      {open + "\n" + strings.Replace(resume, ":7", ":3", 1) + "\n", "line 2: epoch 3 after 5"},
		"a line without an end": {open + "\n" + strings.Repeat("x", MaxRow+10), "line 2: more than"},
	} {
		var bad *LineError
		if _, _, err := read(c.text); !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	rows, r, err := read(open + "\n" + resume + "\n" + step1 + "\n")
	if rows != 3 || err != nil || r.Head().Epoch != 7 || r.Head().Name != "n" || r.Head().Limits["kl_max"] != 1 || r.Ended() {
		t.Errorf("resumed: %d rows, %v, %+v", rows, err, r.Head())
	}
	if rows, r, err = read(resume + "\n" + end2 + "\n"); rows != 2 || err != nil || !r.Ended() { // the rest of a run that a server has
		t.Errorf("the rest: %d rows, %v", rows, err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(open + "\n" + step1 + "\n" + end2 + "\n")
	f.Add(`{"seq":1,"type":"rollout","id":"a","turns":[{"role":"user","text":"\ud800"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		rows, r, err := read(text)
		if err == nil && rows > 0 && r.Head() == nil {
			t.Error("rows without a head")
		}
	})
}
