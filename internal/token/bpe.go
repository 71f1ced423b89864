package token

import (
	"bytes"
	"container/heap"
	"crypto/sha256"
	"fmt"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// BPE is byte-level byte-pair encoding.
type BPE struct {
	json     []byte
	ids      map[string]int32    // by the token's bytes
	bytes    [][]byte            // by id; nil where there is no token
	merges   map[[2]int32]merged // by the pair of ids
	single   [256]int32          // ids of single bytes
	whole    bool                // ignore_merges: a piece that is a token is taken as it is
	splits   []split
	added    map[byte][]addedToken // by first byte, longest first
	nfc      bool
	bos, eos int32 // -1: none
	limit    int   // of ids, while the file is read
}

type merged struct{ rank, id int32 }

type addedToken struct {
	content []byte
	id      int32
}

// BOS is not put before text by Encode.
func (b *BPE) BOS() (int32, bool) { return b.bos, b.bos >= 0 }

// EOS ends a completion.
func (b *BPE) EOS() (int32, bool) { return b.eos, b.eos >= 0 }

// Vocab is one above the largest id.
func (b *BPE) Vocab() int { return len(b.bytes) }

// JSON is the file as it was read.
func (b *BPE) JSON() []byte { return b.json }

// Digest is SHA-256 of JSON.
func (b *BPE) Digest() [32]byte { return sha256.Sum256(b.json) }

// Encode gives the ids of a text. Added tokens are recognised where their text stands, as rendered chat rows need; none
// is added. Text is put into NFC where the file asks for it (then Decode gives the NFC form); bytes that are not UTF-8
// are kept.
func (b *BPE) Encode(text []byte) ([]int32, error) {
	var out []int32
	from := 0
	for at := 0; at < len(text); {
		t, ok := b.addedAt(text[at:])
		if !ok {
			at++
			continue
		}
		out = append(b.plain(out, text[from:at]), t.id)
		at += len(t.content)
		from = at
	}
	return b.plain(out, text[from:]), nil
}

func (b *BPE) addedAt(text []byte) (addedToken, bool) {
	for _, t := range b.added[text[0]] {
		if bytes.HasPrefix(text, t.content) {
			return t, true
		}
	}
	return addedToken{}, false
}

// plain encodes text without added tokens.
func (b *BPE) plain(out []int32, text []byte) []int32 {
	if b.nfc && utf8.Valid(text) {
		text = norm.NFC.Bytes(text)
	}
	pieces := [][]byte{text}
	for _, s := range b.splits {
		var next [][]byte
		for _, p := range pieces {
			next = append(next, s(p)...)
		}
		pieces = next
	}
	for _, p := range pieces {
		out = b.merge(out, p)
	}
	return out
}

// merge applies the merges of one piece, lowest rank first and leftmost among equals.
func (b *BPE) merge(out []int32, piece []byte) []int32 {
	if id, ok := b.ids[string(piece)]; ok && b.whole {
		return append(out, id)
	}
	// A linked list of symbols, and a heap of candidate pairs: a piece may be long, and a scan a merge would be quadratic.
	n := len(piece)
	id, next, prev := make([]int32, n), make([]int, n), make([]int, n)
	for i, c := range piece {
		id[i], next[i], prev[i] = b.single[c], i+1, i-1
	}
	var q pairs
	offer := func(i int) {
		if i < 0 || next[i] >= n {
			return
		}
		if m, ok := b.merges[[2]int32{id[i], id[next[i]]}]; ok {
			heap.Push(&q, candidate{m, i, id[i], id[next[i]]})
		}
	}
	for i := range piece {
		offer(i)
	}
	for q.Len() > 0 {
		c := heap.Pop(&q).(candidate)
		i := c.at
		if id[i] != c.left || next[i] >= n || id[next[i]] != c.right {
			continue // one of the two is part of another token by now
		}
		j := next[i]
		id[i], id[j] = c.id, -1
		if next[i] = next[j]; next[i] < n {
			prev[next[i]] = i
		}
		offer(prev[i])
		offer(i)
	}
	for i := 0; i < n; i = next[i] {
		out = append(out, id[i])
	}
	return out
}

type candidate struct {
	merged
	at          int
	left, right int32
}

type pairs []candidate

func (p pairs) Len() int { return len(p) }
func (p pairs) Less(i, j int) bool {
	return p[i].rank < p[j].rank || (p[i].rank == p[j].rank && p[i].at < p[j].at)
}
func (p pairs) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p *pairs) Push(x any)   { *p = append(*p, x.(candidate)) }
func (p *pairs) Pop() any {
	old := *p
	x := old[len(old)-1]
	*p = old[:len(old)-1]
	return x
}

// Decode gives the bytes of the ids; an added token gives its text. Models pad their vocabulary: an id above the
// tokenizer's has no text, as in Hugging Face's library.
func (b *BPE) Decode(ids []int32) ([]byte, error) {
	var out []byte
	for i, id := range ids {
		if id < 0 {
			return nil, fmt.Errorf("token %d is id %d", i, id)
		}
		if int(id) < len(b.bytes) {
			out = append(out, b.bytes[id]...)
		}
	}
	return out, nil
}

func (b *BPE) addToken(content []byte, id int32) {
	first := content[0]
	b.added[first] = append(b.added[first], addedToken{content, id})
	slices.SortStableFunc(b.added[first], func(x, y addedToken) int { return len(y.content) - len(x.content) })
}
