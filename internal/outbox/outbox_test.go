package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/store"
)

// stream is a fake with JetStream's behaviour: it may be away, and it drops ids that it has.
type stream struct {
	mu   sync.Mutex
	away bool
	got  []string
	all  chan struct{}
	want int
}

func (s *stream) publish(_ context.Context, m Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return errors.New("away")
	}
	if slices.Contains(s.got, m.ID) {
		return nil
	}
	if s.got = append(s.got, m.ID); len(s.got) == s.want {
		close(s.all)
	}
	return nil
}

func TestNothingIsLostWhileTheStreamIsAway(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), []store.Migration{Migration})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := &stream{away: true, all: make(chan struct{}), want: 300}
	var want []string
	for i := range 300 {
		id := fmt.Sprintf("m%03d", i)
		want = append(want, id)
		for range 2 { // the second is the same message
			if err := Add(t.Context(), db, Message{ID: id, Subject: "s", Headers: map[string]string{"k": "v"}, Body: []byte(id)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	r := NewRelay(db, s.publish, slog.New(slog.DiscardHandler), clock.System{})
	if _, err := r.flush(t.Context()); err == nil {
		t.Error("a flush to a stream that is away succeeded")
	}
	if n, err := Pending(t.Context(), db); err != nil || n != 300 {
		t.Fatalf("%d pending, %v", n, err)
	}
	s.mu.Lock()
	s.away = false
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	<-s.all
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	if !slices.Equal(s.got, want) {
		t.Errorf("order or number is wrong: %d messages", len(s.got))
	}
}
