// Package lex cuts an answer into tokens: look-alike characters are mapped, delimiters taken away, and numbers read with
// all their separators.
package lex

// Limits of a text.
const (
	MaxText    = 4096   // bytes
	MaxNodes   = 512    // of a tree
	MaxNesting = 64     // of brackets and signs
	MaxDigits  = 256    // of a number in an expression
	MaxInteger = 10_000 // digits of a number that is the whole answer
	MaxCells   = 256    // of a matrix
	MaxNames   = 64     // different symbols
)
