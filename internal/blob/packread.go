package blob

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

const indexEntry = sha256.Size + 8 + 4 // of an index: digest, offset, size

// find looks for a blob in the packs: those of this process that are open, then all files.
func (s *Store) find(ctx context.Context, d Digest) (file string, at packed, err error) {
	if err := s.flush(); err != nil {
		return "", at, err
	}
	dir := filepath.Join(s.dir, packFolder)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", at, ErrMissing
	}
	if err != nil {
		return "", at, err
	}
	for _, e := range entries {
		base, isPack := strings.CutSuffix(e.Name(), packEnd)
		if !isPack {
			continue
		}
		if err := ctx.Err(); err != nil {
			return "", at, err
		}
		file = filepath.Join(dir, e.Name())
		at, err = searchIndex(filepath.Join(dir, base+indexEnd), d)
		if errors.Is(err, fs.ErrNotExist) {
			at, err = searchPack(file, d)
		}
		if err == nil || !errors.Is(err, ErrMissing) {
			return file, at, err
		}
	}
	return "", at, ErrMissing
}

// flush lets readers see what is in this process's buffers.
func (s *Store) flush() error {
	s.packing.Lock()
	defer s.packing.Unlock()
	for _, p := range s.open {
		p.mu.Lock()
		var err error
		if p.file != nil {
			if err = p.w.Flush(); err != nil {
				err = p.fail(err)
			}
		}
		p.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// searchIndex searches a sorted index on disk.
func searchIndex(name string, d Digest) (packed, error) {
	f, err := os.Open(name)
	if err != nil {
		return packed{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return packed{}, err
	}
	n := int(info.Size() / indexEntry)
	var entry [indexEntry]byte
	var failed error
	i := sort.Search(n, func(i int) bool {
		if _, err := f.ReadAt(entry[:], int64(i)*indexEntry); err != nil {
			failed = err
			return true
		}
		return bytes.Compare(entry[:sha256.Size], d[:]) >= 0
	})
	if failed != nil {
		return packed{}, failed
	}
	if i == n {
		return packed{}, ErrMissing
	}
	if _, err := f.ReadAt(entry[:], int64(i)*indexEntry); err != nil {
		return packed{}, err
	}
	if Digest(entry[:sha256.Size]) != d {
		return packed{}, ErrMissing
	}
	return packed{d, int64(binary.LittleEndian.Uint64(entry[sha256.Size:])), int64(binary.LittleEndian.Uint32(entry[sha256.Size+8:]))}, nil
}

// searchPack reads the heads of a pack without an index: one that is being written, or that a crash left. A head that
// does not fit into the file is where a crash cut it off.
func searchPack(name string, d Digest) (packed, error) {
	f, err := os.Open(name)
	if err != nil {
		return packed{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return packed{}, err
	}
	r := bufio.NewReaderSize(f, 1<<20)
	var head [packHead]byte
	for at := int64(0); at+packHead <= info.Size(); {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return packed{}, err
		}
		size := int64(binary.LittleEndian.Uint32(head[:]))
		if at += packHead; at+size > info.Size() {
			break
		}
		if Digest(head[4:]) == d {
			return packed{d, at, size}, nil
		}
		if _, err := r.Discard(int(size)); err != nil {
			return packed{}, err
		}
		at += size
	}
	return packed{}, ErrMissing
}

// unpack gives a packed blob a file of its own, which is what readers get.
func (s *Store) unpack(ctx context.Context, d Digest) error {
	name, at, err := s.find(ctx, d)
	if err != nil {
		return err
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, _, err = s.put(ctx, io.NewSectionReader(f, at.offset, at.size), &d) // checks the digest
	return err
}
