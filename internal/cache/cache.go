// Package cache keeps what can be made again: results that cost time, under the digest of their inputs.
// A cache that is away, or that forgets, costs time and never an answer.
package cache

import (
	"context"
	"fmt"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/redis/go-redis/v9"
)

// Cache gives values by key.
type Cache interface {
	// Get says false for a key that is not there, also where the cache is away.
	Get(ctx context.Context, key string) ([]byte, bool)
	// Set keeps a value for at most ttl, or not at all.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration)
	Close() error
}

// Open takes redis://… or, for an empty URL, the memory of this process.
func Open(url string) (Cache, error) {
	if url == "" {
		return NewMemory(64 << 20)
	}
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("cache.url: %w", err)
	}
	o.ReadTimeout, o.WriteTimeout, o.DialTimeout = 250*time.Millisecond, 250*time.Millisecond, time.Second
	return remote{redis.NewClient(o)}, nil
}

type remote struct{ c *redis.Client }

func (r remote) Get(ctx context.Context, key string) ([]byte, bool) {
	b, err := r.c.Get(ctx, "provenir:"+key).Bytes()
	return b, err == nil
}

func (r remote) Set(ctx context.Context, key string, value []byte, ttl time.Duration) {
	// An error means that the value will be made again; there is nobody to tell.
	_ = r.c.Set(ctx, "provenir:"+key, value, ttl).Err()
}

func (r remote) Close() error { return r.c.Close() }

type memory struct{ c *otter.Cache[string, []byte] }

// NewMemory keeps at most maxBytes of values.
func NewMemory(maxBytes uint64) (Cache, error) {
	c, err := otter.New(&otter.Options[string, []byte]{
		MaximumWeight: maxBytes,
		Weigher:       func(k string, v []byte) uint32 { return uint32(min(len(k)+len(v)+64, 1<<30)) },
	})
	if err != nil {
		return nil, err
	}
	return memory{c}, nil
}

func (m memory) Get(_ context.Context, key string) ([]byte, bool) { return m.c.GetIfPresent(key) }

func (m memory) Set(_ context.Context, key string, value []byte, ttl time.Duration) {
	m.c.Set(key, append([]byte(nil), value...))
	m.c.SetExpiresAfter(key, ttl)
}

func (m memory) Close() error {
	m.c.InvalidateAll()
	return nil
}
