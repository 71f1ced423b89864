package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"sort"

	"github.com/provenir/provenir/ledger"
)

// blockRecords is how many records one index entry stands for.
const blockRecords = 64

// block is an entry of the sparse index: where 64 records begin and which types are among them. The index is a cache:
// it is rebuilt from the segment where it is missing or damaged.
type block struct {
	seq   uint64
	off   int64
	types uint64 // bit of each type; types above 62 share the last bit
	key   uint64 // in timing: the first event that the block's first COMMIT speaks of
}

func typeBit(t ledger.RecordType) uint64 { return 1 << min(uint64(t), 63) }

func typeMask(types []ledger.RecordType) uint64 {
	if len(types) == 0 {
		return ^uint64(0)
	}
	var m uint64
	for _, t := range types {
		m |= typeBit(t)
	}
	return m
}

// index grows with the records of one segment.
type index struct {
	blocks []block
	count  uint64 // records
	key    uint64 // of the newest COMMIT
	keyed  bool   // the last block has its key
}

// add notes a record. key counts for COMMIT records only.
func (x *index) add(seq uint64, off int64, t ledger.RecordType, key uint64) {
	if x.count%blockRecords == 0 {
		x.blocks = append(x.blocks, block{seq: seq, off: off, key: x.key})
		x.keyed = false
	}
	x.count++
	b := &x.blocks[len(x.blocks)-1]
	b.types |= typeBit(t)
	if t == ledger.Commit {
		if x.key = key; !x.keyed {
			b.key, x.keyed = key, true
		}
	}
}

// from gives a copy of the blocks from the one that holds seq.
func (x *index) from(seq uint64) []block { return blocksFrom(x.blocks, seq) }

func blocksFrom(blocks []block, seq uint64) []block {
	i := sort.Search(len(blocks), func(i int) bool { return blocks[i].seq > seq })
	return slices.Clone(blocks[max(i, 1)-1:])
}

// blockOfKey is the first record of the block to read from for a key: the last one that begins at or before it.
func blockOfKey(blocks []block, key uint64) (seq uint64, ok bool) {
	i := sort.Search(len(blocks), func(i int) bool { return blocks[i].key > key })
	if i == 0 {
		return 0, false
	}
	return blocks[i-1].seq, true
}

const (
	indexMagic     = "PVRIDX01"
	indexEntrySize = 32
)

var errIndex = errors.New("store: index file is damaged")

func indexName(segment uint64) string { return fmt.Sprintf("%08d.idx", segment) }

func encodeIndex(blocks []block) []byte {
	b := append(make([]byte, 0, len(indexMagic)+len(blocks)*indexEntrySize+4), indexMagic...)
	for _, e := range blocks {
		b = binary.LittleEndian.AppendUint64(b, e.seq)
		b = binary.LittleEndian.AppendUint64(b, uint64(e.off))
		b = binary.LittleEndian.AppendUint64(b, e.types)
		b = binary.LittleEndian.AppendUint64(b, e.key)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

func decodeIndex(b []byte) ([]block, error) {
	n := len(b) - len(indexMagic) - 4
	if n < 0 || n%indexEntrySize != 0 || string(b[:len(indexMagic)]) != indexMagic ||
		crc32.ChecksumIEEE(b[:len(b)-4]) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return nil, errIndex
	}
	blocks := make([]block, 0, n/indexEntrySize)
	for at := len(indexMagic); at < len(b)-4; at += indexEntrySize {
		blocks = append(blocks, block{
			seq:   binary.LittleEndian.Uint64(b[at:]),
			off:   int64(binary.LittleEndian.Uint64(b[at+8:])),
			types: binary.LittleEndian.Uint64(b[at+16:]),
			key:   binary.LittleEndian.Uint64(b[at+24:]),
		})
	}
	return blocks, nil
}
