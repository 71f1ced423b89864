package token

import "bytes"

// Parse reads a tokenizer.json.
func Parse(raw []byte) (Tokenizer, error) {
	if b := NewBytes(); bytes.Equal(raw, b.json) {
		return b, nil
	}
	return nil, refuse("a tokenizer other than the byte tokenizer")
}
