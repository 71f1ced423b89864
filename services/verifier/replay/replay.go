// Package replay remembers verdicts for callers that ask again: after a broken stream the same rollout gets the same
// verdict, and another rollout under a known id is an error. Forgetting costs work and never an answer.
package replay

import (
	"crypto/sha256"
	"hash/maphash"
	"sync"
	"time"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/clock"
)

// Key names a verdict: the run, the rollout and the spec that judges it.
type Key struct {
	Run     string
	Rollout string
	Spec    [sha256.Size]byte
}

// Entry is what is remembered.
type Entry struct {
	Input   [sha256.Size]byte // of what was judged
	Verdict *verifierv1.VerdictItem
	Heldout *verifierv1.VerdictItem // nil where none was drawn
	Message any                     // what a unary call answered
}

// shards keep callers out of each other's way; a power of two.
const shards = 16

// Cache is a bounded memory of verdicts: the least recently used go first.
type Cache struct {
	seed  maphash.Seed
	ttl   time.Duration
	clock clock.Clock
	parts [shards]shard
}

// New keeps at most size entries for at most ttl.
func New(size int, ttl time.Duration, c clock.Clock) *Cache {
	m := &Cache{seed: maphash.MakeSeed(), ttl: ttl, clock: c}
	for i := range m.parts {
		m.parts[i].limit = max(1, size/shards)
		m.parts[i].at = map[Key]int32{}
		m.parts[i].head, m.parts[i].tail = none, none
	}
	return m
}

func (c *Cache) part(k *Key) *shard {
	return &c.parts[maphash.String(c.seed, k.Rollout)%shards]
}

// Get finds an entry that is not too old.
func (c *Cache) Get(k Key) (Entry, bool) {
	p := c.part(&k)
	p.mu.Lock()
	defer p.mu.Unlock()
	i, ok := p.at[k]
	if !ok {
		return Entry{}, false
	}
	if c.clock.Now().Sub(p.nodes[i].since) > c.ttl {
		p.drop(i)
		return Entry{}, false
	}
	p.unlink(i)
	p.push(i)
	return p.nodes[i].entry, true
}

// Put remembers an entry, in place of an older one of the same key.
func (c *Cache) Put(k Key, e Entry) {
	now := c.clock.Now()
	p := c.part(&k)
	p.mu.Lock()
	defer p.mu.Unlock()
	if i, ok := p.at[k]; ok {
		p.nodes[i].entry, p.nodes[i].since = e, now
		p.unlink(i)
		p.push(i)
		return
	}
	if len(p.at) >= p.limit {
		p.drop(p.tail)
	}
	p.insert(node{key: k, entry: e, since: now})
}

// Len is the number of entries.
func (c *Cache) Len() int {
	n := 0
	for i := range c.parts {
		c.parts[i].mu.Lock()
		n += len(c.parts[i].at)
		c.parts[i].mu.Unlock()
	}
	return n
}

const none = int32(-1)

// shard is a list in order of use over a slice: no allocation for each entry.
type shard struct {
	mu         sync.Mutex
	limit      int
	at         map[Key]int32
	nodes      []node
	free       []int32
	head, tail int32 // most and least recently used
}

type node struct {
	key        Key
	entry      Entry
	since      time.Time
	prev, next int32
}

func (s *shard) insert(n node) {
	var i int32
	if l := len(s.free); l > 0 {
		i = s.free[l-1]
		s.free = s.free[:l-1]
		s.nodes[i] = n
	} else {
		i = int32(len(s.nodes))
		s.nodes = append(s.nodes, n)
	}
	s.at[n.key] = i
	s.push(i)
}

func (s *shard) push(i int32) {
	s.nodes[i].prev, s.nodes[i].next = none, s.head
	if s.head != none {
		s.nodes[s.head].prev = i
	}
	s.head = i
	if s.tail == none {
		s.tail = i
	}
}

func (s *shard) unlink(i int32) {
	n := &s.nodes[i]
	if n.prev != none {
		s.nodes[n.prev].next = n.next
	} else {
		s.head = n.next
	}
	if n.next != none {
		s.nodes[n.next].prev = n.prev
	} else {
		s.tail = n.prev
	}
}

func (s *shard) drop(i int32) {
	s.unlink(i)
	delete(s.at, s.nodes[i].key)
	s.nodes[i] = node{} // let go of the verdict
	s.free = append(s.free, i)
}
