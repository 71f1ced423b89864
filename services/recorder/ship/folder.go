package ship

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
)

// folder is what lies in a log's folder.
type folder struct {
	dir    string
	copies []shipped
	here   map[uint64]bool // segments whose file is on the local disk
	// retired are segments without payloads: what stands for them is here.
	retired map[uint64]bool
	count   uint64 // segments, here, away or retired
	ended   bool   // the log is: its last segment may go as well
	sealed  bool   // the run is, and this log may go on
}

func (s *Shipper) folder(dir string) (*folder, error) {
	entries, err := s.d.Disk.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return &folder{dir: dir}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	f := &folder{dir: dir, here: map[uint64]bool{}, retired: map[uint64]bool{}}
	away := map[uint64]bool{}
	for _, e := range entries {
		for _, is := range []struct {
			parse func(string) (uint64, bool)
			set   map[uint64]bool
		}{{ledger.ParseSegmentName, f.here}, {ledger.ParseAwayName, away}, {ledger.ParseRetiredName, f.retired}} {
			if n, ok := is.parse(e.Name()); ok {
				is.set[n] = true
				f.count = max(f.count, n+1)
			}
		}
	}
	for n := range f.retired { // until the payloads are gone it stands for nothing
		if f.here[n] || away[n] {
			delete(f.retired, n)
		}
	}
	if f.copies, err = readState(s.d.Disk, dir); err != nil {
		return nil, err
	}
	if _, err := s.d.Disk.ReadFile(path.Join(path.Dir(dir), ledger.SealFile)); err == nil {
		f.ended, f.sealed = true, true
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return f, nil
}

// sealedOnDisk counts the segments that will never change in a folder that nobody has open: all but the last, and the last
// when it has its trailer.
func (f *folder) sealedOnDisk(d disk.FS) int {
	if f.count == 0 {
		return 0
	}
	last := f.count - 1
	if f.here[last] {
		file, err := d.Open(segmentName(f.dir, last))
		if err != nil {
			return int(last)
		}
		defer file.Close()
		size, err := file.Size()
		if err != nil {
			return int(last)
		}
		if _, sealed := ledger.LastTrailer(file, size); !sealed {
			return int(last)
		}
	}
	return int(f.count)
}
