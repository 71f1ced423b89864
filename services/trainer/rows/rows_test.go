package rows

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	got, err := Read(strings.NewReader(`{"id":7,"prompt":"p","reference":"1","tests":{"b": 2, "a":[1.50]}}` + "\n\n" +
		`{"prompt":"q","completion":" c"}` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].ID != "7" || got[1].ID != "row-3" || string(got[1].Completion) != " c" || got[0].Completion != nil {
		t.Fatalf("got %+v", got)
	}
	var columns []string
	for _, c := range got[0].Columns {
		columns = append(columns, c.GetKey()+"="+string(c.GetJson()))
	}
	want := []string{"id=7", `reference="1"`, `tests={"b":2,"a":[1.50]}`} // numbers and keys as they were written
	if !slices.Equal(columns, want) {
		t.Errorf("columns %v, want %v", columns, want)
	}
}

func TestBadRowsAreNamed(t *testing.T) {
	for name, c := range map[string][2]string{
		"no prompt": {`{"prompt":"a"}` + "\n" + `{"reference":"1"}`, "row 2: no prompt"},
		"not text":  {`{"prompt":5}`, "row 1: prompt is not a text"},
		"not JSON":  {`{"prompt":`, "row 1"},
		"not UTF-8": {`{"prompt":"a` + "\xff" + `"}`, "row 1: not UTF-8"},
		"too long":  {`{"prompt":"` + strings.Repeat("x", maxLine) + `"}`, "too long"},
	} {
		if _, err := Read(strings.NewReader(c[0])); err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whoever mends a file wants to know how much there is to mend.
func TestBadRowsAreCounted(t *testing.T) {
	_, err := Read(strings.NewReader(strings.Repeat(`{"prompt":"a"}`+"\n"+`{"reference":"1"}`+"\n", 50)))
	var bad *BadRows
	if !errors.As(err, &bad) || bad.Count != 50 || len(bad.First) != 20 || bad.First[19] != "row 40: no prompt" || !strings.HasPrefix(err.Error(), "50 rows") {
		t.Errorf("%v", err)
	}
}

func TestOrder(t *testing.T) {
	o := NewOrder(50, 1, 0)
	pass := func(from uint64) (out []int) {
		for c := from; c < from+50; c++ {
			out = append(out, o.At(c))
		}
		return out
	}
	first, second := pass(0), pass(50)
	if slices.Equal(first, second) {
		t.Error("both epochs have one order")
	}
	if !slices.Equal(pass(0), first) {
		t.Error("going back gives another order")
	}
	sorted := slices.Clone(second)
	slices.Sort(sorted)
	for i, x := range sorted {
		if i != x {
			t.Fatalf("an epoch is not every row once: %v", second)
		}
	}
	if NewOrder(50, 2, 0).Digest() == o.Digest() || NewOrder(50, 1, 1).Digest() == o.Digest() || NewOrder(50, 1, 0).Digest() != o.Digest() {
		t.Error("the order depends on the wrong things")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"prompt":"p","x":1e400}`)
	f.Add("{}\n{")
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := Read(strings.NewReader(text))
		if err == nil {
			for _, r := range rows {
				if len(r.Prompt) == 0 {
					t.Error("a row without a prompt came through")
				}
			}
		}
	})
}
