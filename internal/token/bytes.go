package token

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

// Ids of the byte tokenizer above the 256 byte values.
const (
	ByteBOS   = 256
	ByteEOS   = 257
	BytePad   = 258
	ByteVocab = 259
)

// Bytes is the tokenizer of fresh models: a byte is its own id. It needs no file and loses nothing.
type Bytes struct{ json []byte }

// NewBytes makes the byte tokenizer.
func NewBytes() Bytes { return Bytes{byteJSON()} }

// Encode gives one id a byte. Special tokens cannot be written in text.
func (Bytes) Encode(text []byte) ([]int32, error) {
	out := make([]int32, len(text))
	for i, b := range text {
		out[i] = int32(b)
	}
	return out, nil
}

// Decode leaves special tokens out, and ids above them: a model's vocabulary may be larger.
func (Bytes) Decode(ids []int32) ([]byte, error) {
	out := make([]byte, 0, len(ids))
	for i, id := range ids {
		if id < 0 {
			return nil, fmt.Errorf("token %d is id %d", i, id)
		}
		if id < 256 {
			out = append(out, byte(id))
		}
	}
	return out, nil
}

// BOS is not put before text by Encode.
func (Bytes) BOS() (int32, bool) { return ByteBOS, true }

// EOS ends a completion.
func (Bytes) EOS() (int32, bool) { return ByteEOS, true }

// Vocab is the number of ids.
func (Bytes) Vocab() int { return ByteVocab }

// JSON is the tokenizer as a byte-level BPE without merges, which Hugging Face's library loads.
func (b Bytes) JSON() []byte { return b.json }

// Digest is SHA-256 of JSON.
func (b Bytes) Digest() [32]byte { return sha256.Sum256(b.json) }

func byteJSON() []byte {
	vocab := map[string]int{}
	for b := range 256 {
		vocab[string(byteRune[b])] = b
	}
	type added struct {
		ID      int    `json:"id"`
		Content string `json:"content"`
		Single  bool   `json:"single_word"`
		Lstrip  bool   `json:"lstrip"`
		Rstrip  bool   `json:"rstrip"`
		Norm    bool   `json:"normalized"`
		Special bool   `json:"special"`
	}
	level := map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}
	b, err := json.Marshal(map[string]any{
		"version": "1.0", "truncation": nil, "padding": nil, "normalizer": nil, "post_processor": nil,
		"added_tokens": []added{{ID: ByteBOS, Content: "<|bos|>", Special: true}, {ID: ByteEOS, Content: "<|eos|>", Special: true},
			{ID: BytePad, Content: "<|pad|>", Special: true}},
		"pre_tokenizer": level, "decoder": level,
		"model": map[string]any{"type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil,
			"end_of_word_suffix": nil, "fuse_unk": false, "byte_fallback": false, "vocab": vocab, "merges": []string{}},
	})
	if err != nil {
		return nil // maps of strings and numbers always marshal
	}
	return b
}
