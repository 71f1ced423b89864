package task

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write golden files anew; then raise the pack's version")

func TestLookup(t *testing.T) {
	p, err := Lookup("arithmetic")
	if err != nil || p.Name() != "arithmetic" {
		t.Fatalf("Lookup: %v, %v", p, err)
	}
	_, err = Lookup("algebra")
	var unknown *UnknownPackError
	if !errors.As(err, &unknown) || !strings.Contains(err.Error(), "arithmetic") {
		t.Errorf("%v does not name the packs that exist", err)
	}
}

func TestSettings(t *testing.T) {
	p, _ := Lookup("arithmetic")
	tests := []struct {
		name    string
		setting Setting
		field   string // of the error; empty for none
	}{
		{"zero value", Setting{}, ""},
		{"hardest", Setting{Difficulty: 10}, ""},
		{"too hard", Setting{Difficulty: 11}, "difficulty"},
		{"negative", Setting{Difficulty: -1}, "difficulty"},
		{"demo", Setting{Preset: "demo"}, ""},
		{"demo with its own difficulty", Setting{Preset: "demo", Difficulty: 3}, ""},
		{"demo with another difficulty", Setting{Preset: "demo", Difficulty: 4}, "difficulty"},
		{"unknown preset", Setting{Preset: "hard"}, "preset"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := p.Instance(1, 0, tt.setting)
			var bad *SettingError
			switch {
			case tt.field == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.field != "" && (!errors.As(err, &bad) || bad.Field != tt.field):
				t.Errorf("error %v, want one of field %s", err, tt.field)
			}
		})
	}
}

// The golden files pin the packs: whoever changes an instance has to raise the version and say so.
func TestGolden(t *testing.T) {
	for _, p := range Packs() {
		t.Run(p.Name(), func(t *testing.T) {
			var got strings.Builder
			fmt.Fprintf(&got, "version %s\n", p.Version())
			settings := []Setting{{Difficulty: 1}, {Difficulty: 6}, {Difficulty: 10}}
			for _, preset := range p.Presets() {
				settings = append([]Setting{{Preset: preset}}, settings...)
			}
			for _, s := range settings {
				for index := range uint64(20) {
					i, err := p.Instance(7, index, s)
					if err != nil {
						t.Fatal(err)
					}
					fmt.Fprintf(&got, "%s%d %s %q %q %q %s", s.Preset, s.Difficulty, i.ID[:12], i.Prompt, i.Completion, i.Reference, i.Split)
					if i.Row != "" {
						fmt.Fprintf(&got, " %s", i.Row)
					}
					got.WriteByte('\n')
				}
			}
			file := "testdata/" + p.Name() + ".golden"
			if *update {
				if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("instances changed; raise the version and run with -update\n%.2000s", got.String())
			}
		})
	}
}

// What every pack promises: instances are a function of seed and index, one problem is in one split, all splits have
// some, difficulties outside 1 to 10 are refused, and no degenerate answer is simply the demonstration.
func TestEveryPack(t *testing.T) {
	for _, p := range Packs() {
		t.Run(p.Name(), func(t *testing.T) {
			if _, err := p.Instance(1, 0, Setting{Difficulty: 11}); err == nil {
				t.Error("difficulty 11 was taken")
			}
			if _, err := p.Instance(1, 0, Setting{Preset: "nobody's"}); err == nil {
				t.Error("an unknown preset was taken")
			}
			if _, err := p.GuessRate(Setting{Difficulty: 99}); err == nil {
				t.Error("a rate for a difficulty that is not there")
			}
			for _, d := range []int{1, 4, 7, 10} {
				where, splits := map[string]Split{}, map[Split]int{}
				for index := range uint64(400) {
					i, err := p.Instance(index%3, index, Setting{Difficulty: d})
					if err != nil {
						t.Fatal(err)
					}
					if again, err := p.Instance(index%3, index, Setting{Difficulty: d}); err != nil || again != i {
						t.Fatalf("not a function of seed and index: %+v and %+v", i, again)
					}
					if was, known := where[i.ID]; known && was != i.Split {
						t.Fatalf("%q is in two splits", i.Prompt)
					}
					where[i.ID] = i.Split
					splits[i.Split]++
					if i.Row != "" && !json.Valid([]byte(i.Row)) {
						t.Fatalf("row %s", i.Row)
					}
					if slices.Contains(p.Degenerate(i), i.Completion) {
						t.Fatalf("a degenerate answer is the demonstration: %q", i.Completion)
					}
				}
				if splits[Train] < 250 || splits[Dev] == 0 || splits[Test] == 0 {
					t.Errorf("difficulty %d: splits %v", d, splits)
				}
				rate, err := p.GuessRate(Setting{Difficulty: d})
				if err != nil || rate < 0 || rate > 0.5 {
					t.Errorf("difficulty %d: guessing rate %v, %v", d, rate, err)
				}
			}
		})
	}
}

func TestCompletionsEndInTheReference(t *testing.T) {
	p, _ := Lookup("arithmetic")
	for _, s := range []Setting{{Preset: PresetDemo}, {Difficulty: 2}, {Difficulty: 7}, {Difficulty: 10}} {
		working := 0
		for index := range uint64(1000) {
			i, err := p.Instance(3, index, s)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(i.Completion, " #### "+i.Reference) {
				t.Fatalf("%q does not end in %q", i.Completion, i.Reference)
			}
			if _, ok := new(big.Int).SetString(i.Reference, 10); !ok {
				t.Fatalf("reference %q is not an integer", i.Reference)
			}
			if !strings.HasPrefix(i.Completion, " ####") {
				working++
			}
		}
		if working < 420 || working > 580 {
			t.Errorf("%+v: %d of 1000 show their working, want about half", s, working)
		}
	}
}

func TestDemoWorking(t *testing.T) {
	tests := []struct {
		name string
		op   byte
		a, b int64
		want string
	}{
		{"no carry", '+', 12, 34, " 2+4=6, 1+3=4"},
		{"carry", '+', 27, 48, " 7+8=15, 2+4=7"},
		{"three digits", '+', 99, 99, " 9+9=18, 9+9=19"},
		{"no borrow", '-', 48, 27, " 8-7=1, 4-2=2"},
		{"borrow", '-', 45, 27, " 5-7=8, 4-2=1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := digitWorking(tt.op, tt.a, tt.b); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDemoFitsTheContext(t *testing.T) {
	p, _ := Lookup("arithmetic")
	for index := range uint64(5000) {
		i, err := p.Instance(11, index, Setting{Preset: PresetDemo})
		if err != nil {
			t.Fatal(err)
		}
		// 44 tokens is the demo's context; one is the end token, and a token is a byte there.
		if n := len(i.Prompt) + len(i.Completion) + 1; n > 44 {
			t.Fatalf("%d tokens: %q", n, i.Prompt+i.Completion)
		}
	}
}

// The preset hedges two demonstrations in five, always with the right number among three, and fits 48 tokens.
func TestHedge(t *testing.T) {
	p, _ := Lookup("arithmetic")
	const n = 5000
	hedges := 0
	for index := range uint64(n) {
		i, err := p.Instance(11, index, Setting{Preset: PresetHedge})
		if err != nil {
			t.Fatal(err)
		}
		if tokens := len(i.Prompt) + len(i.Completion) + 1; tokens > 48 {
			t.Fatalf("%d tokens: %q", tokens, i.Prompt+i.Completion)
		}
		_, answer, _ := strings.Cut(i.Completion, "#### ")
		candidates := strings.Fields(answer)
		if !slices.Contains(candidates, i.Reference) || len(candidates) != 1 && len(candidates) != 3 {
			t.Fatalf("%q answers %s", i.Completion, i.Reference)
		}
		if len(candidates) == 3 {
			hedges++
		}
	}
	if share := float64(hedges) / n; share < hedgeShare-.03 || share > hedgeShare+.03 {
		t.Errorf("%.3f of the demonstrations hedge, want about %v", share, hedgeShare)
	}
}

func TestSplitsShareNothing(t *testing.T) {
	p, _ := Lookup("arithmetic")
	where := map[string]Split{}
	count := map[Split]int{}
	for seed := range uint64(4) {
		for index := range uint64(10000) {
			i, err := p.Instance(seed, index, Setting{Preset: PresetDemo})
			if err != nil {
				t.Fatal(err)
			}
			key := i.Prompt
			if strings.Contains(key, "+") { // 25+47 asks what 47+25 asks
				terms := strings.Split(strings.TrimSuffix(strings.TrimPrefix(key, "Q: "), "=?\nA:"), "+")
				key = min(terms[0], terms[1]) + "+" + max(terms[0], terms[1])
			}
			if was, known := where[key]; known && was != i.Split {
				t.Fatalf("%s is in %s and in %s", key, was, i.Split)
			} else if !known {
				where[key] = i.Split
				count[i.Split]++
			}
		}
	}
	all := float64(len(where))
	for split, want := range map[Split]float64{Train: .8, Dev: .1, Test: .1} {
		if share := float64(count[split]) / all; share < want-.03 || share > want+.03 {
			t.Errorf("%s has %.3f of the instances, want about %.2f", split, share, want)
		}
	}
}

func TestSample(t *testing.T) {
	p, _ := Lookup("arithmetic")
	demo := Setting{Preset: PresetDemo}
	long, err := Sample(p, 5, Test, 300, demo)
	if err != nil {
		t.Fatal(err)
	}
	short, err := Sample(p, 5, Test, 100, demo)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for n, i := range long {
		if i.Split != Test || seen[i.ID] {
			t.Fatalf("%q: split %s, seen %v", i.Prompt, i.Split, seen[i.ID])
		}
		seen[i.ID] = true
		if n < len(short) && short[n] != i {
			t.Fatalf("a smaller sample is not a prefix: %v, %v", short[n], i)
		}
	}
	other, err := Sample(p, 6, Test, 100, demo)
	if err != nil {
		t.Fatal(err)
	}
	if other[0] == long[0] && other[1] == long[1] {
		t.Error("two seeds gave the same instances")
	}
	_, err = Sample(p, 5, Train, 1000, Setting{Difficulty: 1})
	var exhausted *ExhaustedError
	if !errors.As(err, &exhausted) || exhausted.Found < 20 {
		t.Errorf("asking for more than there is gives %v", err)
	}
}

// A stated guessing rate that is too low would make a policy that learnt nothing look as if it had.
func TestGuessRateIsNotUnderstated(t *testing.T) {
	p, _ := Lookup("arithmetic")
	settings := []Setting{{Preset: PresetDemo}}
	for d := 1; d <= 10; d++ {
		settings = append(settings, Setting{Difficulty: d})
	}
	for _, s := range settings {
		stated, err := p.GuessRate(s)
		if err != nil {
			t.Fatal(err)
		}
		const n = 6000
		count := map[string]int{}
		most := 0
		for index := range uint64(n) {
			i, err := p.Instance(99, index, s)
			if err != nil {
				t.Fatal(err)
			}
			count[i.Reference]++
			most = max(most, count[i.Reference])
		}
		// Five standard errors: the mode of a sample lies above the mode of what it is drawn from.
		measured := float64(most) / n
		slack := 5 * (stated/n + 1.0/n/n)
		if diff := measured - stated; diff > 0 && diff*diff > 5*slack {
			t.Errorf("%+v: the commonest answer has %.5f of the instances, stated is %.5f", s, measured, stated)
		}
	}
	if _, err := p.GuessRate(Setting{Difficulty: 12}); err == nil {
		t.Error("a rate was stated for a setting that does not exist")
	}
}

func TestDegenerateAnswersDifferFromTheReference(t *testing.T) {
	p, _ := Lookup("arithmetic")
	for index := range uint64(200) {
		i, err := p.Instance(2, index, Setting{Preset: PresetDemo})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range p.Degenerate(i) {
			if strings.TrimSpace(strings.TrimPrefix(d, " #### ")) == i.Reference {
				t.Fatalf("%q is simply the answer of %q", d, i.Prompt)
			}
		}
	}
}

func TestParseSplit(t *testing.T) {
	if s, err := ParseSplit("dev"); err != nil || s != Dev {
		t.Errorf("ParseSplit(dev) = %v, %v", s, err)
	}
	if _, err := ParseSplit("validation"); err == nil {
		t.Error("an unknown split was taken")
	}
}

func FuzzInstance(f *testing.F) {
	f.Add(uint64(1), uint64(2), 10)
	f.Add(uint64(0), uint64(0), 0)
	p, _ := Lookup("arithmetic")
	f.Fuzz(func(t *testing.T, seed, index uint64, difficulty int) {
		i, err := p.Instance(seed, index, Setting{Difficulty: difficulty})
		if err != nil {
			return
		}
		again, err := p.Instance(seed, index, Setting{Difficulty: difficulty})
		if err != nil || again != i {
			t.Fatalf("not a function of its arguments: %v, %v", again, err)
		}
	})
}
