package monitor

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/provenir/provenir/services/recorder/metric"
)

// maxShared bounds what all runs of a process remember together: engines have some hundreds of names. What comes beyond
// it is made anew by each run, so that one with a million names takes nothing from the others.
const maxShared = 4096

// shared holds values by text. Reading takes no lock; a new text copies the map, which is rare and ends.
type shared[V any] struct {
	mu  sync.Mutex
	now atomic.Pointer[map[string]V]
}

func (s *shared[V]) get(b []byte) (v V, ok bool) {
	if m := s.now.Load(); m != nil {
		v, ok = (*m)[string(b)]
	}
	return v, ok
}

// put keeps a value where there is room.
func (s *shared[V]) put(text string, v V) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := map[string]V{}
	if m := s.now.Load(); m != nil {
		if len(*m) >= maxShared {
			return
		}
		next = maps.Clone(*m)
	}
	next[text] = v
	s.now.Store(&next)
}

// Texts of tags, and names of metrics. A thousand runs of one engine have the same.
var (
	sharedTexts shared[string]
	sharedNames shared[named]
)

// named is a metric's name as it came, and what it is here.
type named struct{ raw, name, scope string }

func newNamed(raw string) named {
	name, scope := metric.Own(raw)
	return named{raw, name, scope}
}
