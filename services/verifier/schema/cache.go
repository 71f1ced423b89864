package schema

import (
	"crypto/sha256"
	"sync"
)

// cached bounds the schemas that are kept: compiling costs a hundred times what validating does, and the rows of a data
// set share few schemas.
const cached = 256

// cache keeps the schemas of rows by their bytes. When it is full it starts again, which costs a compile a schema and
// needs no order of use.
type cache struct {
	mu     sync.Mutex
	byHash map[[sha256.Size]byte]result
}

type result struct {
	schema *compiled
	err    error
}

func newCache() *cache { return &cache{byHash: map[[sha256.Size]byte]result{}} }

func (c *cache) get(raw []byte, assert bool) (*compiled, error) {
	key := sha256.Sum256(raw)
	c.mu.Lock()
	r, ok := c.byHash[key]
	c.mu.Unlock()
	if ok {
		return r.schema, r.err
	}
	r.schema, r.err = compile(Name, raw, assert)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byHash) >= cached {
		clear(c.byHash)
	}
	c.byHash[key] = r
	return r.schema, r.err
}
