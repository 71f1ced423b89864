package lex

import "math/big"

// Kind is what a token is.
type Kind uint8

// The kinds of tokens.
const (
	End     Kind = iota
	Number       // Num
	Word         // a run of letters
	Command      // \name, with the backslash in Text
	Text         // \text{…} and the like; Text is the content
	Sign         // one character, or <=, >=, !=, ==, **
)

// Token is a piece of an answer.
type Token struct {
	Kind  Kind
	Text  string
	At    int  // byte in the cleaned text
	Space bool // something blank stands before it
	Num   *Literal
}

// Literal is a number as it was written.
type Literal struct {
	Value   *big.Rat
	Decimal bool // with a point or an exponent
	Integer bool // digits only, without separators
	Base    int  // 0 for decimal
}
