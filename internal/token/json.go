package token

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Special names ids that a tokenizer.json does not: they stand in the model's config.json. Nil is none.
type Special struct{ BOS, EOS *int32 }

// maxGap is how far ids may lie above the number of tokens: real vocabularies are nearly dense, and a small file must not
// ask for much memory.
const maxGap = 4096

// file is a tokenizer.json, as far as it decides ids.
type file struct {
	Truncation any             `json:"truncation"`
	Padding    any             `json:"padding"`
	Added      []fileAdded     `json:"added_tokens"`
	Normalizer *stage          `json:"normalizer"`
	Pre        *stage          `json:"pre_tokenizer"`
	Model      json.RawMessage `json:"model"`
}

type fileAdded struct {
	ID      int32  `json:"id"`
	Content string `json:"content"`
	Single  bool   `json:"single_word"`
	Lstrip  bool   `json:"lstrip"`
	Rstrip  bool   `json:"rstrip"`
	Special bool   `json:"special"`
}

// stage is a normalizer or a pre-tokenizer of any kind.
type stage struct {
	Type        string  `json:"type"`
	Normalizers []stage `json:"normalizers"`
	Pre         []stage `json:"pretokenizers"`
	Pattern     struct {
		Regex string `json:"Regex"`
	} `json:"pattern"`
	Behavior   string `json:"behavior"`
	Invert     bool   `json:"invert"`
	AddPrefix  bool   `json:"add_prefix_space"`
	UseRegex   *bool  `json:"use_regex"`
	Individual bool   `json:"individual_digits"`
}

type model struct {
	Type         string            `json:"type"`
	Dropout      *float64          `json:"dropout"`
	Prefix       *string           `json:"continuing_subword_prefix"`
	Suffix       *string           `json:"end_of_word_suffix"`
	ByteFallback bool              `json:"byte_fallback"`
	Whole        bool              `json:"ignore_merges"`
	Vocab        map[string]int32  `json:"vocab"`
	Merges       []json.RawMessage `json:"merges"`
}

// Parse reads a tokenizer.json. The byte tokenizer's own file gives the byte tokenizer back.
func Parse(raw []byte, special Special) (Tokenizer, error) {
	if b := NewBytes(); bytes.Equal(raw, b.json) {
		return b, nil
	}
	var f file
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, &Error{Detail: "tokenizer.json", Err: err}
	}
	var m model
	if err := json.Unmarshal(f.Model, &m); err != nil {
		return nil, &Error{Detail: "tokenizer.json: model", Err: err}
	}
	b := &BPE{json: bytes.Clone(raw), ids: map[string]int32{}, merges: map[[2]int32]merged{}, added: map[byte][]addedToken{},
		whole: m.Whole, bos: -1, eos: -1, limit: len(m.Vocab) + len(f.Added) + maxGap}
	if err := b.normalizer(f.Normalizer); err != nil {
		return nil, err
	}
	level, err := b.preTokenizer(f.Pre)
	if err != nil {
		return nil, err
	}
	if !level {
		return nil, refuse("pre_tokenizer is not byte-level; Llama 3, GPT-2 and Qwen tokenizers are supported")
	}
	if err := b.vocabulary(m); err != nil {
		return nil, err
	}
	if err := b.addedTokens(f.Added); err != nil {
		return nil, err
	}
	if special.EOS == nil {
		return nil, refuse("the vocabulary has no end-of-sequence token (eos_token_id of config.json)")
	}
	for _, s := range []struct {
		id *int32
		to *int32
		by string
	}{{special.BOS, &b.bos, "bos_token_id"}, {special.EOS, &b.eos, "eos_token_id"}} {
		if s.id == nil {
			continue
		}
		if *s.id < 0 || int(*s.id) >= len(b.bytes) || b.bytes[*s.id] == nil {
			return nil, refuse("%s is %d, which the tokenizer does not have", s.by, *s.id)
		}
		*s.to = *s.id
	}
	return b, nil
}

func (b *BPE) normalizer(s *stage) error {
	if s == nil {
		return nil
	}
	if s.Type == "Sequence" {
		for i := range s.Normalizers {
			if err := b.normalizer(&s.Normalizers[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if s.Type != "NFC" {
		return refuse("normalizer %s; none and NFC are supported", s.Type)
	}
	b.nfc = true
	return nil
}

// preTokenizer collects the splitters and says whether the byte-level alphabet is used.
func (b *BPE) preTokenizer(s *stage) (level bool, err error) {
	if s == nil {
		return false, nil
	}
	switch s.Type {
	case "Sequence":
		for i := range s.Pre {
			l, err := b.preTokenizer(&s.Pre[i])
			if err != nil {
				return false, err
			}
			level = level || l
		}
		return level, nil
	case "Digits":
		b.splits = append(b.splits, digits(s.Individual))
		return false, nil
	case "Split":
		f := splits(s.Pattern.Regex)
		if f == nil || s.Behavior != "Isolated" || s.Invert {
			return false, refuse("pre_tokenizer splits by %q (%s); the patterns of Llama 3, GPT-2 and Qwen 2 are supported", s.Pattern.Regex, s.Behavior)
		}
		b.splits = append(b.splits, f)
		return false, nil
	case "ByteLevel":
		if s.AddPrefix {
			return false, refuse("pre_tokenizer adds a space before the text (add_prefix_space)")
		}
		if s.UseRegex == nil || *s.UseRegex {
			b.splits = append(b.splits, splits(patternGPT2))
		}
		return true, nil
	}
	return false, refuse("pre_tokenizer %s", s.Type)
}

// vocabulary translates the printable alphabet to bytes and resolves merges to ids.
func (b *BPE) vocabulary(m model) error {
	switch {
	case m.Type != "BPE":
		return refuse("model %q; BPE is supported", m.Type)
	case m.ByteFallback:
		return refuse("byte_fallback (a SentencePiece model); byte-level BPE is supported")
	case m.Dropout != nil && *m.Dropout != 0:
		return refuse("BPE dropout: ids would be random")
	case (m.Prefix != nil && *m.Prefix != "") || (m.Suffix != nil && *m.Suffix != ""):
		return refuse("continuing_subword_prefix or end_of_word_suffix")
	}
	for text, id := range m.Vocab {
		raw, ok := toBytes(text)
		if !ok {
			raw = []byte(text) // not in the alphabet: reachable as an added token only
		}
		if err := b.set(id, raw); err != nil {
			return err
		}
		if ok {
			b.ids[string(raw)] = id
		}
	}
	for c := range 256 {
		id, ok := b.ids[string([]byte{byte(c)})]
		if !ok {
			return refuse("the vocabulary has no token for byte %#02x: not every text could be encoded", c)
		}
		b.single[c] = id
	}
	for rank, raw := range m.Merges {
		left, right, err := mergePair(raw)
		if err != nil {
			return refuse("merge %d: %v", rank, err)
		}
		l, okL := toBytes(left)
		r, okR := toBytes(right)
		li, hasL := b.ids[string(l)]
		ri, hasR := b.ids[string(r)]
		to, has := b.ids[string(slices.Concat(l, r))]
		if !okL || !okR || !hasL || !hasR || !has {
			return refuse("merge %d joins %q and %q, which are not all in the vocabulary", rank, left, right)
		}
		if _, twice := b.merges[[2]int32{li, ri}]; !twice {
			b.merges[[2]int32{li, ri}] = merged{int32(rank), to}
		}
	}
	return nil
}

func (b *BPE) set(id int32, raw []byte) error {
	if id < 0 || int(id) >= b.limit || len(raw) == 0 {
		return refuse("token %q has id %d", raw, id)
	}
	for int(id) >= len(b.bytes) {
		b.bytes = append(b.bytes, nil)
	}
	if b.bytes[id] != nil && !bytes.Equal(b.bytes[id], raw) {
		return refuse("id %d is both %q and %q", id, b.bytes[id], raw)
	}
	b.bytes[id] = raw
	return nil
}

func (b *BPE) addedTokens(added []fileAdded) error {
	for _, a := range added {
		if a.Lstrip || a.Rstrip || a.Single {
			return refuse("added token %q strips its surroundings or wants a single word", a.Content)
		}
		if err := b.set(a.ID, []byte(a.Content)); err != nil {
			return err
		}
		b.addToken([]byte(a.Content), a.ID)
	}
	return nil
}

// mergePair reads "a b" or ["a", "b"]: files of either form exist.
func mergePair(raw json.RawMessage) (left, right string, err error) {
	var pair []string
	if json.Unmarshal(raw, &pair) != nil {
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return "", "", err
		}
		for _, p := range bytes.Split([]byte(s), []byte(" ")) {
			pair = append(pair, string(p))
		}
	}
	if len(pair) != 2 {
		return "", "", fmt.Errorf("%d parts", len(pair))
	}
	return pair[0], pair[1], nil
}

func toBytes(text string) ([]byte, bool) {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		c, ok := runeByte[r]
		if !ok {
			return nil, false
		}
		out = append(out, c)
	}
	return out, true
}
