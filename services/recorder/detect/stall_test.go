package detect_test

import (
	"testing"
	"time"

	"github.com/provenir/provenir/services/recorder/detect"
)

func TestStall(t *testing.T) {
	start := time.Unix(1e9, 0)
	learn := func() (*detect.Stall, time.Time) {
		s, at := &detect.Stall{}, start
		for range 12 {
			s.Step(at)
			at = at.Add(10 * time.Second)
		}
		return s, at.Add(-10 * time.Second) // of the last step
	}
	t.Run("overdue", func(t *testing.T) {
		tests := []struct {
			name   string
			waited time.Duration
			want   detect.Severity
		}{
			{"in time", 40 * time.Second, detect.None},
			{"overdue", 51 * time.Second, detect.Warn},
			{"given up", 501 * time.Second, detect.Critical},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				s, last := learn()
				sig, ok := s.Check(last.Add(tt.waited))
				if ok != (tt.want != detect.None) || sig.Level != tt.want {
					t.Errorf("signal %+v, %v", sig, ok)
				}
			})
		}
	})
	t.Run("slow steps", func(t *testing.T) {
		s, at := learn()
		for i, want := range []detect.Severity{detect.Info, detect.Info, detect.Warn} {
			at = at.Add(100 * time.Second)
			if sig, ok := s.Step(at); !ok || sig.Level != want {
				t.Errorf("slow step %d: %+v, %v; want %s", i, sig, ok, want)
			}
		}
		if sig, ok := s.Step(at.Add(10 * time.Second)); !ok || !sig.Clear {
			t.Errorf("a step of the usual time: %+v", sig)
		}
	})
	t.Run("nothing is known", func(t *testing.T) {
		var s detect.Stall
		s.Step(start)
		if _, ok := s.Check(start.Add(time.Hour)); ok || s.Patience() != 0 {
			t.Error("a run of one step cannot be late")
		}
	})
	t.Run("ended", func(t *testing.T) {
		s, last := learn()
		s.End()
		if _, ok := s.Check(last.Add(time.Hour)); ok {
			t.Error("no step is due after the end")
		}
	})
	t.Run("clock set back", func(t *testing.T) {
		s, last := learn()
		if _, ok := s.Step(last.Add(-time.Hour)); ok {
			t.Error("a step before the last one says nothing")
		}
	})
}
