package syntax

// tokenKind is what a token is.
type tokenKind uint8

const (
	tEnd     tokenKind = iota
	tNumber            // num
	tWord              // a run of letters
	tCommand           // \name, with the backslash in text
	tText              // \text{…} and the like; text is the content
	tSign              // one character, or <=, >=, !=, ==, **
)

type token struct {
	kind  tokenKind
	text  string
	at    int
	space bool // something blank stands before it
	num   *literal
}
