// Package extract finds the answer in a response: boxes, anchors such as "the answer is", delimited math, last lines.
//
// It only says where an answer may stand, best place first; whoever reads the pieces decides which one counts. All
// scanning is linear in the response. There is one extraction and it is here: two that differ a little strip a box twice
// or pay an answer that nobody gave.
package extract

// Profile says which places count.
type Profile string

// The profiles. Published suites contradict each other, so every spec names one.
const (
	LastBoxed   Profile = "last_boxed"   // last box, else anchors, delimited math, whole text, last line, last number
	GroupBoxed  Profile = "group_boxed"  // tiers of anchors; neighbouring boxes form one set
	FinalAnswer Profile = "final_answer" // behind an anchor, or in a box; nothing else
	Whole       Profile = "whole"        // the full text: references and short answers
)

// Profiles are all names.
func Profiles() []string {
	return []string{string(LastBoxed), string(GroupBoxed), string(FinalAnswer), string(Whole)}
}

// Source says where a piece stood.
type Source uint8

// The sources.
const (
	Box       Source = iota + 1
	Anchor           // behind "answer is" and the like
	Delimited        // between $…$, \(…\) and the like
	Full             // the whole text
	Line             // the last line that is not empty
	Digits           // the last number; weak
)

// Piece is a place where the answer may stand.
type Piece struct {
	Text       string
	Source     Source
	Start, End int // bytes in the response
}

// Limits of what is looked at.
const (
	MaxCandidate = 4096 // bytes of one piece
	maxNesting   = 64   // of braces in a box
	maxShort     = 200  // bytes of a text that is an answer as a whole
)
