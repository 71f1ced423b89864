// Package retain is the rule of retention: how long the payloads of an ended run are kept.
//
// It is pure: times in, times and words out. Entries, tiles and checkpoints are no part of it. They stay, so that what is
// left can be verified; the recorder never deletes them.
package retain

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

const (
	// DefaultMonths is how long payloads are kept where nobody says otherwise.
	DefaultMonths = 24
	// LeastMonths is the shortest time that may be set.
	LeastMonths = 6
)

// Rule is how long payloads are kept. The zero value keeps them for ever.
type Rule struct {
	Months int // after the run's last event; 0 is for ever
}

// ErrRule tells that a text is no rule.
var ErrRule = errors.New("want a number of months of at least " + strconv.Itoa(LeastMonths) + ", or never")

// Parse reads a setting: a number of months, or never.
func Parse(text string) (Rule, error) {
	if text == "never" {
		return Rule{}, nil
	}
	n, err := strconv.Atoi(text)
	r := Rule{Months: n}
	if err != nil || n == 0 {
		return Rule{}, ErrRule
	}
	return r, r.Check()
}

// Check refuses a time below the floor: who sets one by mistake loses what nobody can bring back.
func (r Rule) Check() error {
	if r.Months != 0 && (r.Months < LeastMonths || r.Months > 1200) {
		return ErrRule
	}
	return nil
}

// Due is when the payloads of a run that ended then may go; false for never.
func (r Rule) Due(ended time.Time) (time.Time, bool) {
	if r.Months == 0 || ended.IsZero() {
		return time.Time{}, false
	}
	return ended.AddDate(0, r.Months, 0), true
}

// String is the rule as records and people read it.
func (r Rule) String() string {
	if r.Months == 0 {
		return "payloads of events are kept for ever"
	}
	return fmt.Sprintf("payloads of events are kept %d months after the run's last event", r.Months)
}
