package ledger

import "fmt"

// DamageKind names what was done to a log.
type DamageKind string

// What [Verify] tells apart. A cleverer attacker repairs checksum, digest, chain and tiles after a change; each step up
// is caught by the next kind, and the last by a checkpoint that somebody else holds.
const (
	FlippedBits       DamageKind = "flipped_bits"       // bytes of a frame were changed: its checksum fails
	AlteredPayload    DamageKind = "altered_payload"    // checksum repaired, digest not
	ReplacedRecord    DamageKind = "replaced_record"    // digest repaired too: the next record links to another one
	DroppedRecords    DamageKind = "dropped_records"    // taken out of the middle
	DuplicatedRecord  DamageKind = "duplicated_record"  // there twice
	ReorderedRecords  DamageKind = "reordered_records"  // swapped or moved
	InsertedBytes     DamageKind = "inserted_bytes"     // bytes between two records that belong to neither
	TruncatedFile     DamageKind = "truncated_file"     // the end is missing
	AppendedGarbage   DamageKind = "appended_garbage"   // bytes after the end
	MissingSegment    DamageKind = "missing_segment"    // a whole file is gone
	DamagedHeader     DamageKind = "damaged_header"     // a segment's first 128 bytes
	ForeignSegment    DamageKind = "foreign_segment"    // of another run, log or place
	TrailerMismatch   DamageKind = "trailer_mismatch"   // a sealed segment is not the one that was sealed
	CheckpointEdited  DamageKind = "checkpoint_edited"  // unreadable, or no trusted key signed these bytes
	CheckpointMissing DamageKind = "checkpoint_missing" // there are records and no checkpoint
	CheckpointOld     DamageKind = "checkpoint_old"     // an earlier checkpoint was put back
	WrongOrigin       DamageKind = "wrong_origin"       // the checkpoint is of another run or log
	HistoryRewritten  DamageKind = "history_rewritten"  // records that a checkpoint covers are not those it was made of
	PayloadMissing    DamageKind = "payload_missing"    // payloads are gone and no record of findings says who took them away, by what rule
	TileMismatch      DamageKind = "tile_mismatch"      // a stored tile is not the tree's; tiles can be rebuilt
)

// noSegment marks damage that lies in no segment file.
const noSegment = -1

// Damage is one finding: what, where, and which records it concerns.
type Damage struct {
	Kind     DamageKind `json:"kind"`
	File     string     `json:"file"`
	Segment  int        `json:"segment"` // -1 when it is not in a segment
	Offset   int64      `json:"offset"`  // of the first bad byte in File
	FirstSeq uint64     `json:"first_seq"`
	LastSeq  uint64     `json:"last_seq"` // inclusive; equal to FirstSeq for one record
	Detail   string     `json:"detail"`
}

// String is one line for people.
func (d Damage) String() string {
	return fmt.Sprintf("%s: %s at byte %d, records %d to %d: %s", d.File, d.Kind, d.Offset, d.FirstSeq, d.LastSeq, d.Detail)
}
