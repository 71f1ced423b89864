package blob

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

const (
	packFolder = "packs"
	packEnd    = ".pack"
	indexEnd   = ".idx"
	packHead   = 4 + sha256.Size // length of what follows, its digest
	packBytes  = 16 << 20        // a pack is closed before it grows past this: its index lies in memory until then, 2 MB
	packRecent = 4096            // digests that are remembered, so that a blob that comes again soon is not written again
)

// Pack takes many small blobs into one file: a file of its own, synced and renamed, costs a blob of 300 bytes a thousand
// times what its bytes cost. The store finds them like any other. What was put is durable after Sync, and a crash loses
// at most what came since: a pack is for blobs that can be made again from what is durable elsewhere.
type Pack struct {
	store *Store

	mu     sync.Mutex
	file   *os.File // nil before the first blob and after a failure
	w      *bufio.Writer
	at     int64
	index  []packed
	recent map[Digest]int // place in ring
	ring   []Digest
	next   int
}

// packed is where a blob lies in a pack.
type packed struct {
	Digest
	offset int64
	size   int64
}

// NewPack begins an empty one; the file is made with the first blob. Close it.
func (s *Store) NewPack() *Pack {
	p := &Pack{store: s, recent: map[Digest]int{}}
	s.packing.Lock()
	defer s.packing.Unlock()
	s.open = append(s.open, p)
	return p
}

// Put adds a blob.
func (p *Pack) Put(b []byte) (Digest, error) {
	d := Digest(sha256.Sum256(b))
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, again := p.recent[d]; again {
		return d, nil
	}
	if p.file != nil && p.at+int64(packHead+len(b)) > packBytes {
		if err := p.seal(); err != nil {
			return d, err
		}
	}
	if p.file == nil {
		if err := p.begin(); err != nil {
			return d, err
		}
	}
	var head [packHead]byte
	binary.LittleEndian.PutUint32(head[:], uint32(len(b)))
	copy(head[4:], d[:])
	_, err := p.w.Write(head[:])
	if err == nil {
		_, err = p.w.Write(b)
	}
	if err != nil {
		return d, p.fail(err)
	}
	p.index = append(p.index, packed{d, p.at + packHead, int64(len(b))})
	p.at += int64(packHead + len(b))
	p.remember(d)
	return d, nil
}

func (p *Pack) remember(d Digest) {
	if len(p.ring) < packRecent {
		p.ring = append(p.ring, d)
		p.recent[d] = len(p.ring) - 1
		return
	}
	delete(p.recent, p.ring[p.next])
	p.ring[p.next], p.recent[d] = d, p.next
	p.next = (p.next + 1) % packRecent
}

func (p *Pack) begin() error {
	dir := filepath.Join(p.store.dir, packFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("begin a pack: %w", err)
	}
	var name [8]byte
	if _, err := rand.Read(name[:]); err != nil {
		return fmt.Errorf("begin a pack: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, hex.EncodeToString(name[:])+packEnd), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("begin a pack: %w", err)
	}
	if err := SyncDir(dir); err != nil {
		return errors.Join(fmt.Errorf("begin a pack: %w", err), f.Close())
	}
	p.file, p.w, p.at, p.index = f, bufio.NewWriterSize(f, 64<<10), 0, nil
	return nil
}

// fail lets the pack go: what was written since the last sync may be lost, and the next blob begins another one.
func (p *Pack) fail(err error) error {
	err = errors.Join(fmt.Errorf("write pack %s: %w", filepath.Base(p.file.Name()), err), p.file.Close())
	p.file, p.index = nil, nil
	clear(p.recent)
	p.ring, p.next = nil, 0
	return err
}

// Sync makes durable what was put.
func (p *Pack) Sync() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sync()
}

func (p *Pack) sync() error {
	if p.file == nil {
		return nil
	}
	err := p.w.Flush()
	if err == nil {
		err = p.file.Sync()
	}
	if err != nil {
		return p.fail(err)
	}
	return nil
}

// seal ends the present file and writes its index, with which it is searched without being read.
func (p *Pack) seal() error {
	if err := p.sync(); err != nil || p.file == nil {
		return err
	}
	slices.SortFunc(p.index, func(a, b packed) int { return bytes.Compare(a.Digest[:], b.Digest[:]) })
	idx := make([]byte, 0, len(p.index)*indexEntry)
	for _, e := range p.index {
		idx = append(idx, e.Digest[:]...)
		idx = binary.LittleEndian.AppendUint64(idx, uint64(e.offset))
		idx = binary.LittleEndian.AppendUint32(idx, uint32(e.size))
	}
	name := p.file.Name()
	tmp := name + ".tmp"
	err := os.WriteFile(tmp, idx, 0o600)
	if err == nil { // without an index the pack is read from its beginning, so its durability is not waited for
		err = os.Rename(tmp, name[:len(name)-len(packEnd)]+indexEnd)
	}
	err = errors.Join(err, p.file.Close())
	p.file, p.index = nil, nil
	if err != nil {
		return fmt.Errorf("end pack %s: %w", filepath.Base(name), err)
	}
	return nil
}

// Close ends the pack.
func (p *Pack) Close() error {
	p.store.packing.Lock()
	p.store.open = slices.DeleteFunc(p.store.open, func(o *Pack) bool { return o == p })
	p.store.packing.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seal()
}
