package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// RetentionNote is the payload of a RETENTION record in the log findings, as JSON: payloads of these segments were taken
// away, by whom and by what rule. It is written, durably and under a signed checkpoint, before the first byte goes.
// Without such a record, payloads that are missing are damage.
type RetentionNote struct {
	Version  int                `json:"v"` // 1
	Log      string             `json:"log"`
	Rule     string             `json:"rule"`
	By       string             `json:"by"`
	At       time.Time          `json:"at"`
	Segments []RetentionSegment `json:"segments"`

	Seq uint64 `json:"-"` // of the record in findings
}

// RetentionSegment is one segment of a [RetentionNote].
type RetentionSegment struct {
	Segment  uint64 `json:"segment"`
	FirstSeq uint64 `json:"first_seq"`
	LastSeq  uint64 `json:"last_seq"`
	SHA256   Hash   `json:"sha256"` // of the file before its trailer, which the trailer names too
}

// MaxRetentionSegments bounds a note, so that it stays an inline payload.
const MaxRetentionSegments = 1024

// ErrRetention tells that bytes are no [RetentionNote].
var ErrRetention = errors.New("ledger: not the payload of a RETENTION record")

// Marshal gives the payload.
func (n RetentionNote) Marshal() ([]byte, error) {
	n.Version, n.At = 1, n.At.UTC()
	if len(n.Segments) == 0 || len(n.Segments) > MaxRetentionSegments {
		return nil, fmt.Errorf("%w: %d segments", ErrRetention, len(n.Segments))
	}
	return json.Marshal(n)
}

// ParseRetentionNote is its inverse.
func ParseRetentionNote(b []byte) (RetentionNote, error) {
	var n RetentionNote
	if err := json.Unmarshal(b, &n); err != nil {
		return n, fmt.Errorf("%w: %w", ErrRetention, err)
	}
	if n.Version != 1 || len(n.Segments) == 0 || n.Rule == "" || n.At.IsZero() {
		return n, fmt.Errorf("%w: version %d, %d segments, rule %q", ErrRetention, n.Version, len(n.Segments), n.Rule)
	}
	return n, nil
}

// RetiredSegment is a segment without its payloads.
type RetiredSegment struct {
	Segment  uint64 `json:"segment"`
	FirstSeq uint64 `json:"first_seq"`
	LastSeq  uint64 `json:"last_seq"`
	SHA256   Hash   `json:"sha256"` // of the file with the payloads, before its trailer, by the trailer's word
	// Declared tells that a record of findings, under a checkpoint, says so: Rule, By and At are its. Where findings was not
	// looked at it is false, and that is no damage.
	Declared bool      `json:"declared"`
	Rule     string    `json:"rule,omitempty"`
	By       string    `json:"by,omitempty"`
	At       time.Time `json:"at,omitzero"`
}

// declares finds the note that names a segment.
func declares(notes []RetentionNote, log Log, s RetiredSegment) (RetentionNote, bool) {
	for _, n := range notes {
		for _, d := range n.Segments {
			if n.Log == log.String() && d == (RetentionSegment{s.Segment, s.FirstSeq, s.LastSeq, s.SHA256}) {
				return n, true
			}
		}
	}
	return RetentionNote{}, false
}
