package lex

import "fmt"

// Fault says why a text was not read.
type Fault uint8

// The faults.
const (
	Unreadable Fault = iota + 1 // not in the grammar
	TooLarge                    // a limit was reached
	CodeShaped                  // it looks like a program
	Nothing                     // there is no text
)

// Error says why and where a text could not be read.
type Error struct {
	Fault  Fault
	At     int // byte in the cleaned text
	Detail string
}

func (e *Error) Error() string {
	if e.Fault == Nothing {
		return "there is no answer"
	}
	return fmt.Sprintf("%s at byte %d", e.Detail, e.At)
}
