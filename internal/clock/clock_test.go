package clock

import (
	"testing"
	"time"
)

func TestFakeFiresWhatIsDue(t *testing.T) {
	f := NewFake(time.Unix(100, 0))
	early, late := f.NewTimer(time.Second), f.NewTimer(time.Minute)
	f.Advance(2 * time.Second)
	select {
	case at := <-early.C():
		if !at.Equal(time.Unix(102, 0)) {
			t.Errorf("fired at %v, want 102 s", at)
		}
	default:
		t.Error("the early timer did not fire")
	}
	select {
	case <-late.C():
		t.Error("the late timer fired")
	default:
	}
	if !late.Stop() || late.Stop() {
		t.Error("Stop must say true once for a waiting timer")
	}
	if f.Waiters() != 0 {
		t.Errorf("%d timers wait, want none", f.Waiters())
	}
}
