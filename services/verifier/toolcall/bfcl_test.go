package toolcall

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"testing"

	"github.com/provenir/provenir/services/verifier/verdict"
)

const bfclFolder = "../../../../shared/data/bfcl/"

func eachRow[T any](t *testing.T, name string, visit func(T)) {
	t.Helper()
	f, err := os.Open(bfclFolder + name)
	if err != nil {
		t.Skipf("the leaderboard's rows are not here: %v", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	s := bufio.NewScanner(z)
	s.Buffer(nil, 16<<20)
	for s.Scan() {
		var row T
		if err := json.Unmarshal(s.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		visit(row)
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
}

// At least 99.5 % of the leaderboard's labelled calls get its verdict, outside rows that are marked as disputed.
func TestLeaderboard(t *testing.T) {
	type item struct {
		ID        string          `json:"id"`
		Functions json.RawMessage `json:"functions"`
		Truth     json.RawMessage `json:"ground_truth"`
	}
	items := map[string]item{}
	eachRow(t, "functions-dev.jsonl.gz", func(i item) { items[i.ID] = i })
	j := judgeOf(t, map[string]any{"mode": "bfcl"})
	rows, agree := 0, 0
	eachRow(t, "cases-dev.jsonl.gz", func(row struct {
		ID       string          `json:"id"`
		Item     string          `json:"item"`
		Kind     string          `json:"kind"`
		Calls    json.RawMessage `json:"calls"`
		Expected bool            `json:"expected"`
		Disputed json.RawMessage `json:"disputed"`
	}) {
		if len(row.Disputed) > 0 {
			return
		}
		i := items[row.Item]
		c := &verdict.Candidate{Response: "[TOOL_CALLS]" + string(row.Calls), Row: verdict.Row{{Key: "tools", JSON: i.Functions}, {Key: "expected", JSON: i.Truth}}}
		if string(row.Calls) == "[]" {
			c.Response = "I cannot help with that."
		}
		if string(i.Truth) == "[]" {
			c.Row = append(c.Row[:1], verdict.Field{Key: "expect", JSON: []byte(`"none"`)})
		}
		v := j.Judge(c)
		rows++
		if s, ok := v.Scored(); ok && s.Passed == row.Expected {
			agree++
			return
		}
		t.Logf("%s %s %s: want %v, %+v\n  calls %s\n  truth %s", row.ID, row.Item, row.Kind, row.Expected, v, row.Calls, i.Truth)
	})
	t.Logf("%d of %d agree", agree, rows)
	if rows < 1900 || float64(agree) < 0.995*float64(rows) {
		t.Errorf("%d of %d agree, want 99.5 %%", agree, rows)
	}
}
