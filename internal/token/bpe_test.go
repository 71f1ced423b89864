package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

// tiny is a tokenizer.json with the 256 bytes, the merges given ("a b" in the printable alphabet), and one added token.
func tiny(change func(f map[string]any), merges ...string) []byte {
	vocab := map[string]int{}
	for b := range 256 {
		vocab[string(byteRune[b])] = b
	}
	for _, m := range merges {
		if text := strings.ReplaceAll(m, " ", ""); vocab[text] == 0 {
			vocab[text] = len(vocab)
		}
	}
	f := map[string]any{
		"added_tokens": []map[string]any{{"id": 1000, "content": "<|end|>", "special": true}},
		"pre_tokenizer": map[string]any{"type": "Sequence", "pretokenizers": []any{
			map[string]any{"type": "Split", "pattern": map[string]any{"Regex": patternQwen2}, "behavior": "Isolated"},
			map[string]any{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}}},
		"model": map[string]any{"type": "BPE", "vocab": vocab, "merges": merges},
	}
	if change != nil {
		change(f)
	}
	raw, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	return raw
}

func end() Special {
	id := int32(1000)
	return Special{EOS: &id}
}

func parse(t testing.TB, raw []byte) *BPE {
	t.Helper()
	tok, err := Parse(raw, end())
	if err != nil {
		t.Fatal(err)
	}
	b, ok := tok.(*BPE)
	if !ok {
		t.Fatalf("got %T", tok)
	}
	return b
}

func TestBPEMerges(t *testing.T) {
	b := parse(t, tiny(nil, "a b", "b c", "ab c", "Ġ ab", "a a", "aa a"))
	id := func(s string) int32 { return b.ids[s] }
	for _, c := range []struct {
		text string
		want []int32
	}{
		{"abc", []int32{id("abc")}},
		{"bcab", []int32{id("bc"), id("ab")}},
		{"x ab", []int32{id("x"), id(" ab")}},
		{"aaaa", []int32{id("aa"), id("aa")}}, // leftmost first: aa aa, and no merge of the two
		{"aaa", []int32{id("aaa")}},
		{"aaaaa", []int32{id("aa"), id("aaa")}},
		{"ab<|end|>c", []int32{id("ab"), 1000, id("c")}},
		{"", nil},
	} {
		got, err := b.Encode([]byte(c.text))
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q is %v, %v; want %v", c.text, got, err, c.want)
		}
	}
}

// slow is the definition: merge the best pair, leftmost first, until there is none.
func slow(b *BPE, piece []byte) []int32 {
	var ids []int32
	for _, c := range piece {
		ids = append(ids, b.single[c])
	}
	for {
		best, at := merged{rank: 1 << 30}, -1
		for i := 0; i+1 < len(ids); i++ {
			if m, ok := b.merges[[2]int32{ids[i], ids[i+1]}]; ok && m.rank < best.rank {
				best, at = m, i
			}
		}
		if at < 0 {
			return ids
		}
		ids = slices.Replace(ids, at, at+2, best.id)
	}
}

func FuzzBPE(f *testing.F) {
	raw := tiny(nil, "a b", "b a", "ab a", "a a", "aa b", "b b", "aba b", "Ġ a", "Ġa b")
	b := parse(f, raw)
	f.Add([]byte("abaabbab aba\xffab<|end|> é"))
	f.Fuzz(func(t *testing.T, text []byte) {
		ids, err := b.Encode(text)
		if err != nil {
			t.Fatal(err)
		}
		back, err := b.Decode(ids)
		if err != nil || !bytes.Equal(back, text) {
			t.Fatalf("%q came back as %q, %v", text, back, err)
		}
		if got, want := b.merge(nil, text), slow(b, text); !slices.Equal(got, want) {
			t.Fatalf("%q merges to %v, want %v", text, got, want)
		}
	})
}

func TestBPEOptions(t *testing.T) {
	whole := parse(t, tiny(func(f map[string]any) {
		m := f["model"].(map[string]any)
		m["ignore_merges"], m["merges"] = true, []string{}
		m["vocab"].(map[string]int)["abc"] = 500
	}))
	if got, _ := whole.Encode([]byte("abc")); !slices.Equal(got, []int32{500}) {
		t.Errorf("with ignore_merges abc is %v, want the token itself", got)
	}
	pairs := parse(t, tiny(func(f map[string]any) {
		f["model"].(map[string]any)["merges"] = [][]string{{"a", "b"}}
	}, "a b"))
	if got, _ := pairs.Encode([]byte("ab")); len(got) != 1 {
		t.Errorf("merges written as pairs give %v", got)
	}
	nfc := parse(t, tiny(func(f map[string]any) { f["normalizer"] = map[string]any{"type": "NFC"} }))
	if got, _ := nfc.Encode([]byte("e\u0301")); len(got) != 2 {
		t.Errorf("under NFC e + accent is %v, want the two bytes of é", got)
	}
	if got, _ := nfc.Encode([]byte("e\u0301\xff")); len(got) != 4 {
		t.Errorf("bytes that are no text were normalised: %v", got)
	}
}

func TestParseRefuses(t *testing.T) {
	set := func(path, key string, v any) func(map[string]any) {
		return func(f map[string]any) {
			if path != "" {
				f = f[path].(map[string]any)
			}
			f[key] = v
		}
	}
	for _, c := range []struct {
		name string
		raw  []byte
	}{
		{"not JSON", []byte("{")},
		{"empty", []byte("{}")},
		{"unigram", tiny(set("model", "type", "Unigram"))},
		{"byte fallback", tiny(set("model", "byte_fallback", true))},
		{"dropout", tiny(set("model", "dropout", .1))},
		{"subword prefix", tiny(set("model", "continuing_subword_prefix", "##"))},
		{"lower case", tiny(set("", "normalizer", map[string]any{"type": "Lowercase"}))},
		{"no byte level", tiny(set("", "pre_tokenizer", nil))},
		{"other pattern", tiny(set("", "pre_tokenizer", map[string]any{"type": "Split", "pattern": map[string]any{"Regex": `\s`}, "behavior": "Isolated"}))},
		{"prefix space", tiny(set("", "pre_tokenizer", map[string]any{"type": "ByteLevel", "add_prefix_space": true}))},
		{"metaspace", tiny(set("", "pre_tokenizer", map[string]any{"type": "Metaspace"}))},
		{"a byte is missing", tiny(func(f map[string]any) { delete(f["model"].(map[string]any)["vocab"].(map[string]int), "A") })},
		{"two tokens of an id", tiny(func(f map[string]any) { f["model"].(map[string]any)["vocab"].(map[string]int)["AB"] = 7 })},
		{"negative id", tiny(func(f map[string]any) { f["model"].(map[string]any)["vocab"].(map[string]int)["AB"] = -7 })},
		{"huge id", tiny(func(f map[string]any) { f["model"].(map[string]any)["vocab"].(map[string]int)["AB"] = 1 << 30 })},
		{"merge of unknown", tiny(set("model", "merges", []string{"a b"}))},
		{"merge of three", tiny(set("model", "merges", []string{"a b c"}))},
		{"stripping token", tiny(set("", "added_tokens", []map[string]any{{"id": 1000, "content": "<|end|>", "lstrip": true}}))},
		{"empty token", tiny(set("", "added_tokens", []map[string]any{{"id": 1000, "content": ""}}))},
		{"no end token", tiny(set("", "added_tokens", nil))},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(c.raw, end())
			var e *Error
			if !errors.As(err, &e) || e.ErrorReason() != Unsupported {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := Parse(tiny(nil), Special{}); err == nil {
		t.Error("a vocabulary without EOS was accepted")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(tiny(nil, "a b"))
	f.Add([]byte(`{"model":{"type":"BPE","vocab":{"a":4194303}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tok, err := Parse(raw, end())
		if err != nil {
			return
		}
		if ids, err := tok.Encode([]byte("abc")); err != nil || len(ids) == 0 {
			t.Fatalf("an accepted tokenizer gives %v, %v", ids, err)
		}
	})
}

func TestDecode(t *testing.T) {
	b := parse(t, tiny(nil))
	if _, err := b.Decode([]int32{-1}); err == nil {
		t.Error("a negative id was decoded")
	}
	got, err := b.Decode([]int32{'a', 700, 5000, 1000})
	if err != nil || string(got) != "a<|end|>" {
		t.Errorf("got %q, %v; ids without a token have no text", got, err)
	}
	if b.Vocab() != 1001 {
		t.Errorf("vocabulary of %d, want one above the largest id", b.Vocab())
	}
}
