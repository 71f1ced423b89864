// Package token turns bytes into token ids and back: a byte tokenizer of our own, and byte-level BPE read from a Hugging
// Face tokenizer.json of the Llama 3, GPT-2 and Qwen families.
//
// Decode(Encode(x)) == x for every x: text need not be valid UTF-8. What a file asks for and this package does not do
// exactly is refused, because ids that are nearly right train and score the wrong text.
package token

import "fmt"

// Unsupported is the reason of this package's errors, as the trainer's contract spells it.
const Unsupported = "TOKENIZER_UNSUPPORTED"

// Error says what in a tokenizer.json is not supported or broken.
type Error struct {
	Detail string
	Err    error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", Unsupported, e.Detail, e.Err)
	}
	return Unsupported + ": " + e.Detail
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrorReason is the reason by itself.
func (e *Error) ErrorReason() string { return Unsupported }

func refuse(format string, args ...any) error { return &Error{Detail: fmt.Sprintf(format, args...)} }

// Tokenizer is what both kinds are.
type Tokenizer interface {
	Encode(text []byte) ([]int32, error)
	Decode(ids []int32) ([]byte, error)
	BOS() (int32, bool)
	EOS() (int32, bool)
	Vocab() int       // ids are below it
	JSON() []byte     // tokenizer.json
	Digest() [32]byte // SHA-256 of JSON
}
