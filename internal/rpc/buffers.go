package rpc

import (
	"math/bits"
	"sync"

	"google.golang.org/grpc/mem"
)

// buffers is a pool for gRPC that does not clear what it hands out: every byte is written before it is read, and clearing
// frames of 16 KiB cost a fifth of the pump's CPU.
type buffers struct {
	tiers [maxTier - minTier + 1]sync.Pool
}

const (
	minTier, maxTier = 10, 22 // 1 KiB to 4 MiB; what is smaller or larger is left to the garbage collector
)

// Get gives a buffer of that length.
func (p *buffers) Get(length int) *[]byte {
	tier := max(bits.Len(uint(max(length, 1)-1)), minTier)
	if length < 1<<minTier/2 || tier > maxTier {
		b := make([]byte, length)
		return &b
	}
	if b, ok := p.tiers[tier-minTier].Get().(*[]byte); ok {
		*b = (*b)[:length]
		return b
	}
	b := make([]byte, length, 1<<tier)
	return &b
}

// Put takes a buffer back.
func (p *buffers) Put(b *[]byte) {
	tier := bits.Len(uint(cap(*b))) - 1
	if tier < minTier || tier > maxTier || cap(*b) != 1<<tier {
		return
	}
	p.tiers[tier-minTier].Put(b)
}

// pool serves all connections of the process, as grpc's own default does.
var pool mem.BufferPool = &buffers{}
