// Package syntax reads a mathematical answer, in LaTeX or as people type it, into a tree. lex.Nothing is ever evaluated:
// graders that hand text to a computer algebra system's evaluator have run code that a model wrote.
//
// Where a notation has two readings, the reading is the one that cannot make two different answers equal; the comments
// say which and why. What cannot be read is an *lex.Error, never a guess.
package syntax
