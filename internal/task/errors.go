package task

import (
	"fmt"
	"strings"
)

// UnknownPackError says that there is no pack of that name.
type UnknownPackError struct {
	Name  string
	Known []string
}

func (e *UnknownPackError) Error() string {
	return fmt.Sprintf("no task pack %q; there are: %s", e.Name, strings.Join(e.Known, ", "))
}

// SettingError says what a pack does not take.
type SettingError struct {
	Pack    string
	Field   string
	Value   string
	Allowed string
}

func (e *SettingError) Error() string {
	return fmt.Sprintf("task pack %s: %s is %q; allowed: %s", e.Pack, e.Field, e.Value, e.Allowed)
}

// ExhaustedError says that a split has fewer different instances than were asked for.
type ExhaustedError struct {
	Pack  string
	Split Split
	Want  int
	Found int
}

func (e *ExhaustedError) Error() string {
	return fmt.Sprintf("task pack %s: found %d different instances of split %s, %d were asked for; ask for fewer or raise the difficulty",
		e.Pack, e.Found, e.Split, e.Want)
}
