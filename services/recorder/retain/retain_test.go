package retain

import (
	"errors"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	tests := []struct {
		text string
		want int
		ok   bool
	}{
		{"24", 24, true}, {"6", 6, true}, {"1200", 1200, true}, {"never", 0, true},
		{"5", 0, false}, {"0", 0, false}, {"-6", 0, false}, {"", 0, false}, {"24 months", 0, false}, {"6.5", 0, false}, {"1201", 0, false}, {"Never", 0, false},
	}
	for _, tt := range tests {
		r, err := Parse(tt.text)
		if (err == nil) != tt.ok || tt.ok && r.Months != tt.want || !tt.ok && !errors.Is(err, ErrRule) {
			t.Errorf("%q: %+v, %v", tt.text, r, err)
		}
	}
}

func TestDue(t *testing.T) {
	ended := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		months int
		ended  time.Time
		want   time.Time
		ever   bool
	}{
		{"two years", 24, ended, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), true}, // 29 February 2026 is 1 March: never early
		{"the floor", 6, ended, time.Date(2024, 8, 29, 12, 0, 0, 0, time.UTC), true},
		{"for ever", 0, ended, time.Time{}, false},
		{"an end that nobody knows", 24, time.Time{}, time.Time{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			due, ever := Rule{Months: tt.months}.Due(tt.ended)
			if !due.Equal(tt.want) || ever != tt.ever {
				t.Errorf("due %v, %v", due, ever)
			}
		})
	}
}
