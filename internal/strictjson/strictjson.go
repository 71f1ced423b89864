// Package strictjson reads JSON as RFC 8259 has it and no further: a key twice, NaN, a comma too many, bytes behind the
// end or that are not UTF-8 are errors. encoding/json takes the last of two keys, so that what one reader checked is not
// what the next one uses.
//
// Numbers stay the digits that they were written as. Limits bound depth, size, number of values and digits.
package strictjson

import "fmt"

// Limits bound a document; a zero field takes the default.
type Limits struct {
	Bytes  int // of the document; 1 MiB
	Depth  int // of arrays and objects; 128
	Values int // in all; 100,000
	Digits int // of one number; 4,096
}

func (l Limits) withDefaults() Limits {
	for _, f := range [...]struct {
		v       *int
		without int
	}{{&l.Bytes, 1 << 20}, {&l.Depth, 128}, {&l.Values, 100_000}, {&l.Digits, 4096}} {
		if *f.v == 0 {
			*f.v = f.without
		}
	}
	return l
}

// Kind says what is wrong with a document.
type Kind uint8

// The kinds.
const (
	NotJSON Kind = iota + 1
	DuplicateKey
	TooLarge // a limit was reached
)

// Error says what is wrong and where.
type Error struct {
	Kind   Kind
	Offset int // bytes
	Detail string
}

func (e *Error) Error() string { return fmt.Sprintf("%s at byte %d", e.Detail, e.Offset) }

// Member is a key and its value as it was written.
type Member struct {
	Key   string
	Value []byte
}

// Check reads a whole document and says what is wrong with it. The error is an *Error.
func Check(b []byte, l Limits) error {
	_, err := read(b, l, 0)
	return err
}

// Object reads a document that is an object and gives its members in their order. Values alias b.
func Object(b []byte, l Limits) ([]Member, error) { return read(b, l, '{') }

// Array reads a document that is an array and gives its elements. They alias b.
func Array(b []byte, l Limits) ([][]byte, error) {
	members, err := read(b, l, '[')
	if err != nil {
		return nil, err
	}
	out := make([][]byte, len(members))
	for i, m := range members {
		out[i] = m.Value
	}
	return out, nil
}

func read(b []byte, l Limits, want byte) ([]Member, error) {
	s := scanner{b: b, l: l.withDefaults()}
	if len(b) > s.l.Bytes {
		return nil, s.fail(TooLarge, "the document has %d bytes, more than %d", len(b), s.l.Bytes)
	}
	s.blank()
	if want != 0 && (s.i >= len(b) || b[s.i] != want) {
		return nil, s.fail(NotJSON, "want %s", map[byte]string{'{': "an object", '[': "an array"}[want])
	}
	if err := s.value(want != 0); err != nil {
		return nil, err
	}
	if s.blank(); s.i != len(b) {
		return nil, s.fail(NotJSON, "text behind the end")
	}
	return s.top, nil
}
