package tabular

import (
	"crypto/sha256"
	"fmt"
)

var tokenizerJSON = []byte(`{"type":"provenir_bytes","eos":256}` + "\n")

type byteTokens struct{}

func (byteTokens) Encode(text []byte) ([]int32, error) {
	out := make([]int32, len(text))
	for i, b := range text {
		out[i] = int32(b)
	}
	return out, nil
}

func (byteTokens) Decode(ids []int32) ([]byte, error) {
	out := make([]byte, 0, len(ids))
	for _, id := range ids {
		switch {
		case id == eos:
		case id < 0 || id > eos:
			return nil, fmt.Errorf("tabular: token %d is out of range", id)
		default:
			out = append(out, byte(id))
		}
	}
	return out, nil
}

func (byteTokens) BOS() (int32, bool) { return 0, false }
func (byteTokens) EOS() (int32, bool) { return eos, true }
func (byteTokens) Digest() [32]byte   { return sha256.Sum256(tokenizerJSON) }
