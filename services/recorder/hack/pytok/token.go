// Package pytok splits Python source into tokens, whatever the source is.
//
// It reads what a policy wrote, so it never refuses: an open string ends with its line or the text, a character that starts
// nothing is a token of its own, and a bracket that is never closed does not swallow the definitions behind it. It is no
// validator. Time is linear in the source, and every token lies inside it.
package pytok

// Kind of a token.
type Kind uint8

// The kinds. Comments and blank lines give no token.
const (
	End Kind = iota
	Newline
	Indent
	Dedent
	Name // identifiers and keywords, soft ones too: what they mean depends on where they stand
	Number
	String // with its prefix and quotes
	Op
	Bad // a character that starts no token
)

// Flag of a string token.
type Flag uint8

// The flags.
const (
	Raw Flag = 1 << iota
	Bytes
	Formatted // f or t: the body holds replacement fields
	Triple
	Open // the closing quotes are missing
)

// Token is a piece of the source.
type Token struct {
	Kind       Kind
	Flags      Flag
	Prefix     uint8 // bytes before the quotes, of a String
	Start, End int32 // bytes of the source
}

// Text is the token's source.
func (t Token) Text(src string) string { return src[t.Start:t.End] }

// Body is what stands between the quotes of a String, with escapes as they were written.
func (t Token) Body(src string) string {
	n := int32(1)
	if t.Flags&Triple != 0 {
		n = 3
	}
	from, to := t.Start+int32(t.Prefix)+n, t.End
	if t.Flags&Open == 0 {
		to -= n
	}
	if from > to {
		return ""
	}
	return src[from:to]
}
