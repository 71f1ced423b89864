// Package code judges programs: functions by tests, programs by what they print.
//
// Nothing that the candidate says decides anything. Tests that are literal asserts are judged in Go, which asks the candidate
// for results and compares them itself; other tests run in a judge process that never runs the candidate's code; of a program
// the standard output counts, compared in Go. A test passes because somebody else than the candidate saw the right value.
//
// Reading tests and code, planning, comparing and building the verdict are functions of values; the sandbox is reached through
// Runner.
package code

// Name is the verifier's.
const Name = "code"
