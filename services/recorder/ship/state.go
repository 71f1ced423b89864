package ship

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
)

// stateFile lies in a log's folder: one JSON line for each segment that the store has, in order. It saves asking the
// store after a restart; without it everything is put again, found to be there, and compared.
const stateFile = "shipped"

// shipped is what is known of a copy.
type shipped struct {
	Segment uint64    `json:"segment"`
	Size    int64     `json:"size"`
	SHA256  string    `json:"sha256"` // of the whole file
	Records uint64    `json:"records"`
	Root    string    `json:"root"` // of the tree of all records up to the segment's end
	At      time.Time `json:"at"`
}

func (s shipped) sum() (sum [32]byte, ok bool) { return hash32(s.SHA256) }

func (s shipped) root() (ledger.Hash, bool) { return hash32(s.Root) }

func hash32(text string) (sum [32]byte, ok bool) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(sum) {
		return sum, false
	}
	return [32]byte(b), true
}

// readState gives the copies of a log. A file that makes no sense counts as none: it is a memory aid.
func readState(d disk.FS, dir string) ([]shipped, error) {
	b, err := d.ReadFile(path.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what was shipped of %s: %w", dir, err)
	}
	return parseState(b), nil
}

func parseState(b []byte) []shipped {
	var out []shipped
	for line := range bytes.Lines(b) {
		var s shipped
		if err := json.Unmarshal(line, &s); err != nil {
			break
		}
		_, summed := s.sum()
		_, rooted := s.root()
		if s.Segment != uint64(len(out)) || !summed || !rooted || s.Size < 0 {
			break
		}
		out = append(out, s)
	}
	return out
}

func writeState(d disk.FS, dir string, all []shipped) error {
	var b []byte
	for _, s := range all {
		line, err := json.Marshal(s)
		if err != nil {
			return err
		}
		b = append(append(b, line...), '\n')
	}
	if err := disk.WriteDurably(d, path.Join(dir, stateFile), b); err != nil {
		return fmt.Errorf("note what was shipped of %s: %w", dir, err)
	}
	return nil
}
