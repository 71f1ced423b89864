package task

import (
	"encoding/json"
	"testing"
)

// The packs that are played in an environment: their stated guessing rates hold, and their rows lead to the answer.
func TestPlayedPacks(t *testing.T) {
	for _, name := range []string{"calculator", "lookup"} {
		p, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []int{1, 4, 10} {
			const n = 1500
			count, most := map[string]int{}, 0
			for index := range uint64(n) {
				i, err := p.Instance(99, index, Setting{Difficulty: d})
				if err != nil {
					t.Fatal(err)
				}
				count[i.Reference]++
				most = max(most, count[i.Reference])
				if got := end(t, i); got != i.Reference {
					t.Fatalf("%s: the row leads to %q, the reference is %q", name, got, i.Reference)
				}
			}
			stated, err := p.GuessRate(Setting{Difficulty: d})
			if err != nil {
				t.Fatal(err)
			}
			measured := float64(most) / n
			slack := 5 * (stated/n + 1.0/n/n)
			if diff := measured - stated; diff > 0 && diff*diff > 5*slack {
				t.Errorf("%s at %d: the commonest answer has %.5f of the instances, stated is %.5f", name, d, measured, stated)
			}
		}
	}
}

// end follows a row to its answer.
func end(t *testing.T, i Instance) string {
	t.Helper()
	var row struct {
		Results []string    `json:"results"`
		Facts   [][3]string `json:"facts"`
		Chain   [][3]string `json:"chain"`
	}
	if err := json.Unmarshal([]byte(i.Row), &row); err != nil {
		t.Fatal(err)
	}
	if row.Results != nil {
		return row.Results[len(row.Results)-1]
	}
	at := row.Chain[0][0]
	for _, hop := range row.Chain {
		found := 0
		for _, f := range row.Facts {
			if f[0] == at && f[1] == hop[1] {
				at = f[2]
				found++
				break
			}
		}
		if found != 1 {
			t.Fatalf("%s of %s is not in the register", hop[1], at)
		}
	}
	return at
}
