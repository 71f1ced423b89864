package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// HoldNote is the payload of a HOLD record in the log findings, as JSON: somebody forbade, or allows again, that anything
// of the run is retired or erased.
type HoldNote struct {
	Version int       `json:"v"` // 1
	Hold    string    `json:"hold"`
	Scope   string    `json:"scope"` // run or tenant
	Set     bool      `json:"set"`   // false lifts it
	Reason  string    `json:"reason"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
}

// Scopes of a hold.
const (
	HoldRun    = "run"
	HoldTenant = "tenant"
)

// ErrHold tells that bytes are no [HoldNote].
var ErrHold = errors.New("ledger: not the payload of a HOLD record")

// Marshal gives the payload.
func (n HoldNote) Marshal() ([]byte, error) {
	n.Version, n.At = 1, n.At.UTC()
	return json.Marshal(n)
}

// ParseHoldNote is its inverse.
func ParseHoldNote(b []byte) (HoldNote, error) {
	var n HoldNote
	if err := json.Unmarshal(b, &n); err != nil {
		return n, fmt.Errorf("%w: %w", ErrHold, err)
	}
	if n.Version != 1 || n.Hold == "" || n.Scope != HoldRun && n.Scope != HoldTenant {
		return n, fmt.Errorf("%w: version %d, hold %q, scope %q", ErrHold, n.Version, n.Hold, n.Scope)
	}
	return n, nil
}
