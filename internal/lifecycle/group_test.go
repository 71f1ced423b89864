package lifecycle

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestStopsInReverse(t *testing.T) {
	var mu sync.Mutex
	var order []string
	g := NewGroup(time.Second)
	for _, name := range []string{"store", "service", "edge"} {
		g.Start(t.Context(), Task{Name: name, Run: func(ctx context.Context) error {
			<-ctx.Done()
			mu.Lock()
			defer mu.Unlock()
			order = append(order, name)
			return ctx.Err()
		}})
	}
	if err := g.Stop(); err != nil {
		t.Fatal(err)
	}
	if want := []string{"edge", "service", "store"}; !slices.Equal(order, want) {
		t.Errorf("stopped %v, want %v", order, want)
	}
}

func TestFailureIsGivenOnceAndNamed(t *testing.T) {
	g := NewGroup(time.Second)
	boom := errors.New("boom")
	g.Start(t.Context(), Task{Name: "bad", Run: func(context.Context) error { return boom }})
	if err := <-g.Failed(); !errors.Is(err, boom) || !strings.HasPrefix(err.Error(), "bad: ") {
		t.Errorf("got %v", err)
	}
	if err := g.Stop(); !errors.Is(err, boom) {
		t.Errorf("Stop lost the error: %v", err)
	}
}

func TestNamesWhoDoesNotStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		g := NewGroup(10 * time.Second)
		g.Start(t.Context(), Task{Name: "deaf", Run: func(context.Context) error { <-release; return nil }})
		if err := g.Stop(); err == nil || !strings.Contains(err.Error(), "deaf did not stop within 10s") {
			t.Errorf("got %v", err)
		}
		close(release)
	})
}
