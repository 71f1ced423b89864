package clock

import (
	"sync"
	"time"
)

// Fake stands still until Advance moves it. Its zero value begins at the Unix epoch.
type Fake struct {
	mu     sync.Mutex
	now    time.Time
	timers []*fakeTimer
}

// NewFake begins at start.
func NewFake(start time.Time) *Fake { return &Fake{now: start} }

// Now is where Advance left it.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// NewTimer fires when Advance passes d from now.
func (f *Fake) NewTimer(d time.Duration) Timer {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := &fakeTimer{owner: f, at: f.now.Add(d), c: make(chan time.Time, 1)}
	f.timers = append(f.timers, t)
	f.fire()
	return t
}

// Advance moves the clock and fires what is due.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
	f.fire()
}

// Waiters is the number of timers that have not fired; tests use it to know that a goroutine waits.
func (f *Fake) Waiters() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.timers)
}

func (f *Fake) fire() {
	rest := f.timers[:0]
	for _, t := range f.timers {
		if t.at.After(f.now) {
			rest = append(rest, t)
			continue
		}
		t.c <- f.now
	}
	f.timers = rest
}

type fakeTimer struct {
	owner *Fake
	at    time.Time
	c     chan time.Time
}

func (t *fakeTimer) C() <-chan time.Time { return t.c }

func (t *fakeTimer) Stop() bool {
	t.owner.mu.Lock()
	defer t.owner.mu.Unlock()
	for i, other := range t.owner.timers {
		if other == t {
			t.owner.timers = append(t.owner.timers[:i], t.owner.timers[i+1:]...)
			return true
		}
	}
	return false
}
