package ort_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/provenir/provenir/internal/onnx"
	"github.com/provenir/provenir/internal/onnx/onnxtest"
	. "github.com/provenir/provenir/services/trainer/engine/ort"
	"github.com/provenir/provenir/services/trainer/engine/tg"
)

func double() (*tg.Graph, error) {
	return tg.Build("double", func(g *tg.Graph) {
		x := g.Input("x", tg.F32, 2)
		g.Output("y", tg.Add(x, x))
	})
}

func TestCacheKeepsTheMostRecent(t *testing.T) {
	c := New(onnxtest.Open(t), onnx.SessionConfig{Threads: 1})
	defer c.Close()
	built := 0
	get := func(rows int) {
		t.Helper()
		if _, err := c.Get(Key{"double", rows, 1}, false, func() (*tg.Graph, error) { built++; return double() }); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 8 {
		get(i)
	}
	get(0) // now the most recent: the next one drops 1
	if get(8); built != 9 {
		t.Errorf("compiled %d, want 9", built)
	}
	if get(0); built != 9 {
		t.Error("the most recent was dropped")
	}
	if get(1); built != 10 {
		t.Error("the least recent was kept")
	}
}

func TestCacheGivesBuildErrors(t *testing.T) {
	c := New(onnxtest.Open(t), onnx.SessionConfig{Threads: 1})
	defer c.Close()
	want := errors.New("broken")
	if _, err := c.Get(Key{}, false, func() (*tg.Graph, error) { return nil, want }); !errors.Is(err, want) {
		t.Errorf("got %v", err)
	}
	_, err := c.Get(Key{"odd", 1, 2}, true, func() (*tg.Graph, error) {
		return tg.Build("odd", func(g *tg.Graph) {
			g.Output("y", g.Emit("NoSuchOperator", nil, tg.F32, []int{1}, g.Input("x", tg.F32, 1)))
		})
	})
	if err == nil || !strings.Contains(err.Error(), "odd[1,2]") {
		t.Errorf("an unknown operator: %v", err)
	}
}

func TestRunWantsEveryValue(t *testing.T) {
	c := New(onnxtest.Open(t), onnx.SessionConfig{Threads: 1})
	defer c.Close()
	s, err := c.Get(Key{}, false, double)
	if err != nil {
		t.Fatal(err)
	}
	x, y := []float32{1, 2}, make([]float32, 2)
	v := Values{}
	if err := v.F32("x", x, 2); err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context(), v); err == nil || !strings.Contains(err.Error(), "output y") {
		t.Errorf("without an output: %v", err)
	}
	if err := v.F32("y", y, 2); err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context(), v); err != nil || y[0] != 2 || y[1] != 4 {
		t.Errorf("%v, %v", y, err)
	}
	delete(v, "x")
	if err := s.Run(t.Context(), v); err == nil || !strings.Contains(err.Error(), "input x") {
		t.Errorf("without an input: %v", err)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}

func TestSizes(t *testing.T) {
	for n, want := range map[int]int{1: 8, 8: 8, 9: 16, 64: 64, 129: 256, 256: 256, 999: 256} {
		if got := Rows(n); got != want {
			t.Errorf("%d rows are padded to %d, want %d", n, got, want)
		}
	}
	for n, want := range map[int]int{1: 1, 3: 4, 8: 8, 100: 128, 999: 256} {
		if got := TrainRows(n); got != want {
			t.Errorf("%d trained rows are padded to %d, want %d", n, got, want)
		}
	}
	for _, c := range []struct{ n, context, want int }{{1, 1024, 16}, {16, 1024, 16}, {17, 1024, 32}, {64, 1024, 64}, {65, 1024, 96},
		{256, 1024, 256}, {257, 1024, 384}, {40, 44, 44}, {1000, 1000, 1000}} {
		if got := Tokens(c.n, c.context); got != c.want {
			t.Errorf("%d tokens in a context of %d are padded to %d, want %d", c.n, c.context, got, c.want)
		}
	}
}
