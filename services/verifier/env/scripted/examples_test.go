package scripted

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/provenir/provenir/internal/task"
	"github.com/provenir/provenir/services/verifier/env"
)

const examples = "../../../../examples/"

// A policy that reads the order and moves crates until it is met.
func TestTheWarehouseCanBeSolved(t *testing.T) {
	count := regexp.MustCompile(`([A-L]): (\d+)`)
	read := func(text string) map[string]int {
		out := map[string]int{}
		for _, m := range count.FindAllStringSubmatch(text, -1) {
			_, _ = fmt.Sscan(m[2], new(int))
			var n int
			_, _ = fmt.Sscan(m[2], &n)
			out[m[1]] = n
		}
		return out
	}
	for _, s := range []env.Setting{{Seed: 1}, {Seed: 2, Split: task.Test}, {Seed: 3, Difficulty: 3}} {
		g := play(t, examples+"env-starlark", nil, s)
		want, have := read(g.prompt), read(g.call("look", map[string]any{}).Text)
		if len(want) < 3 || len(want) != len(have) {
			t.Fatalf("%v, %v", want, have)
		}
		for from, n := range have {
			for to := range have {
				k := min(have[from]-want[from], want[to]-have[to])
				if n == 0 || k <= 0 {
					continue
				}
				if o := g.call("move", map[string]any{"source": from, "target": to, "crates": k}); o.Error != "" {
					t.Fatalf("%+v", o)
				}
				have[from], have[to] = have[from]-k, have[to]+k
			}
		}
		if o := g.say("done"); o.Reward == nil || *o.Reward != 1 {
			t.Errorf("%+v: %+v, have %v, want %v", s, o, have, want)
		}
	}
	g := play(t, examples+"env-starlark", nil, env.Setting{Seed: 1})
	if o := g.call("move", map[string]any{"source": "A", "target": "B", "crates": 999}); !strings.Contains(o.Error, "holds") {
		t.Errorf("%+v", o)
	}
	if o := g.say("done"); o.Reward == nil || *o.Reward != 0 {
		t.Errorf("nothing was moved: %+v", o)
	}
}

func TestTheOrderBookCanBeSolved(t *testing.T) {
	run := python(t)
	for _, s := range []env.Setting{{Seed: 1}, {Seed: 2, Split: task.Test, Difficulty: 2}} {
		g := play(t, examples+"env-python", run, s)
		who := strings.TrimSuffix(strings.TrimPrefix(g.prompt, "What do the orders of "), " cost in all? Answer with the number.")
		total, prices := 0, map[string]int{}
		for line := range strings.SplitSeq(strings.TrimSpace(g.call("rows", map[string]any{"column": "customer", "value": who}).Text), "\n") {
			f := strings.Split(line, ",")
			var n, each int
			if _, err := fmt.Sscan(f[3], &n); err != nil {
				continue // the header
			}
			if each = prices[f[2]]; each == 0 {
				if _, err := fmt.Sscan(g.call("price", map[string]any{"item": f[2]}).Text, &each); err != nil {
					t.Fatal(err)
				}
				prices[f[2]] = each
			}
			total += n * each
		}
		b, _ := json.Marshal(map[string]any{"tool": "answer", "args": map[string]any{"answer": fmt.Sprint(total)}})
		if o := g.say(string(b)); o.Reward == nil || *o.Reward != 1 {
			t.Errorf("%+v: %d: %+v", s, total, o)
		}
	}
}
