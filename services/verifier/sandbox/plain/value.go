// Package plain is the plain data that crosses between a candidate and its judge: Python's built-in values in Go, and the
// bytes in which they travel.
//
// The bytes are CPython's marshal format, version 2, without references and code objects, plus three codes of our own:
// E for values of the standard library, H for an object of the sender, R for one of the receiver. Whatever comes from a
// candidate is untrusted: Decode is iterative, checks every length before it allocates, and gives ErrMalformed.
package plain

// Value is one of: nil, bool, int64, *big.Int, float64, complex128, Str, Bytes, List, Tuple, Set, FrozenSet, Dict, Other,
// Object.
type Value = any

// Str is a Python str in UTF-8, in which lone surrogates take three bytes, as Python's surrogatepass writes them.
type Str string

// Bytes is a bytes or bytearray.
type Bytes string

// List is a list.
type List []Value

// Tuple is a tuple.
type Tuple []Value

// Set is a set in no order.
type Set []Value

// FrozenSet is a frozenset in no order.
type FrozenSet []Value

// Dict is a dict in the order of insertion.
type Dict []Pair

// Pair is an entry of a Dict.
type Pair struct{ Key, Value Value }

// Other is an exact value of the standard library: Decimal, Fraction, range, deque, datetime and the like.
type Other struct {
	Kind  string
	State Value
}

// Object is something that cannot be copied: the candidate keeps it, and only its number travels. All of it is claimed by
// the candidate.
type Object struct {
	ID    int64
	Flags ObjectFlags
	Type  string
}

// ObjectFlags say what an Object can be used for.
type ObjectFlags uint8

// The flags.
const (
	ExceptionClass ObjectFlags = 1 << iota
	Callable
	Inert // compares by identity only, so it never equals plain data
	Iterator
)
