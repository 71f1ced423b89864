package token

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestBytesRoundTrip(t *testing.T) {
	b := NewBytes()
	for _, x := range [][]byte{nil, []byte("Q: 1+1=?\n"), []byte("déjà vu"), {0, 0xff, 0xc3, 0x28, '\r'}} {
		ids, err := b.Encode(x)
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.Decode(ids)
		if err != nil || !bytes.Equal(got, x) {
			t.Errorf("%q came back as %q, %v", x, got, err)
		}
	}
}

func TestBytesSpecials(t *testing.T) {
	b := NewBytes()
	got, err := b.Decode([]int32{ByteBOS, 'a', ByteEOS, BytePad, 5000})
	if err != nil || string(got) != "a" {
		t.Errorf("specials decode to %q, %v; want them left out", got, err)
	}
	if _, err := b.Decode([]int32{-1}); err == nil {
		t.Error("a negative id was decoded")
	}
	if id, ok := b.EOS(); !ok || id != ByteEOS {
		t.Errorf("EOS is %d, %v", id, ok)
	}
}

// The file that others load: every byte is a token by its own value, in the byte-level alphabet, without merges.
func TestBytesJSON(t *testing.T) {
	b := NewBytes()
	var f struct {
		Added []struct {
			ID      int    `json:"id"`
			Content string `json:"content"`
		} `json:"added_tokens"`
		Model struct {
			Type   string         `json:"type"`
			Vocab  map[string]int `json:"vocab"`
			Merges []any          `json:"merges"`
		} `json:"model"`
	}
	if err := json.Unmarshal(b.JSON(), &f); err != nil {
		t.Fatal(err)
	}
	if f.Model.Type != "BPE" || len(f.Model.Vocab) != 256 || len(f.Model.Merges) != 0 || len(f.Added) != 3 {
		t.Fatalf("%+v", f)
	}
	for text, want := range map[string]int{"A": 'A', "Ġ": ' ', "Ċ": '\n', "Ā": 0, "ÿ": 255, "¡": 0xa1, "Ń": 0xad} {
		if got := f.Model.Vocab[text]; got != want {
			t.Errorf("%s is id %d, want %d", text, got, want)
		}
	}
	again, err := Parse(b.JSON(), Special{})
	if err != nil || again.Digest() != b.Digest() || again.Vocab() != ByteVocab {
		t.Errorf("its own file gives %v, %v", again, err)
	}
}
