package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// RepairNote is the payload of a REPAIR record in the log findings, as JSON: copies were put in the place of what was damaged
// or missing. What no copy mended stands in GAP records.
type RepairNote struct {
	Version  int       `json:"v"` // 1
	Log      string    `json:"log"`
	Segments []uint64  `json:"segments,omitempty"`
	Blobs    []string  `json:"blobs,omitempty"` // payloads of the blob store, as sha256:<hex>
	By       string    `json:"by"`
	At       time.Time `json:"at"`
}

// ErrRepair tells that bytes are no [RepairNote].
var ErrRepair = errors.New("ledger: not the payload of a REPAIR record")

// Marshal gives the payload.
func (n RepairNote) Marshal() ([]byte, error) {
	n.Version, n.At = 1, n.At.UTC()
	return json.Marshal(n)
}

// ParseRepairNote is its inverse.
func ParseRepairNote(b []byte) (RepairNote, error) {
	var n RepairNote
	if err := json.Unmarshal(b, &n); err != nil {
		return n, fmt.Errorf("%w: %w", ErrRepair, err)
	}
	if n.Version != 1 || n.Log == "" || len(n.Segments)+len(n.Blobs) == 0 {
		return n, fmt.Errorf("%w: version %d, log %q, nothing that was mended", ErrRepair, n.Version, n.Log)
	}
	return n, nil
}
