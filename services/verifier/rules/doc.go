// Package rules judges by a program of the user's own, written in Starlark: def verify(row) returns a bool, a number, or a
// dict {"reward", "passed", "reason", "findings"}.
//
// A program sees the row and the host functions and nothing else: no clock, no files, no randomness, no load. It is bounded
// in steps and time. Its memory is not bounded by the interpreter (a repeat can ask for a gigabyte), so it is for programs
// of those who run this service. An error of a program is unscored (bad_spec), never reward 0: the fault is not the
// candidate's.
package rules
