package store

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/provenir/provenir/ledger"
)

// Kind says which rule refused a call or what is wrong with a log. Callers branch on it.
type Kind string

// The kinds of faults.
const (
	OutOfOrder      Kind = "OUT_OF_ORDER"
	DivergentReplay Kind = "DIVERGENT_REPLAY"
	LeaseLost       Kind = "LEASE_LOST"
	Sealed          Kind = "RUN_SEALED"
	NotFound        Kind = "RUN_NOT_FOUND"
	TooLarge        Kind = "RECORD_TOO_LARGE"
	BlobMissing     Kind = "BLOB_MISSING"
	DiskFull        Kind = "LEDGER_DISK_FULL"
	Corrupt         Kind = "LEDGER_CORRUPT"
	LostAcked       Kind = "LEDGER_LOST_ACKED"
	WriteFailed     Kind = "LEDGER_WRITE_FAILED"
	Unknown         Kind = "CHECKPOINT_UNKNOWN"
	Erased          Kind = "PAYLOAD_ERASED"
	Retired         Kind = "PAYLOAD_RETIRED"
	Held            Kind = "LEGAL_HOLD"
	KeyLost         Kind = "KEY_UNKNOWN"
	CopyAway        Kind = "COPY_UNAVAILABLE"
	Invalid         Kind = "INVALID_ARGUMENT"
)

var cures = map[Kind]string{
	OutOfOrder:      "send the record that comes next",
	DivergentReplay: "other bytes are recorded under this number; the run did not repeat itself and must not go on",
	LeaseLost:       "another writer has taken this run over; stop writing",
	Sealed:          "the run is sealed and takes no more records",
	NotFound:        "no run of that name is recorded here",
	TooLarge:        "store the payload as a blob and append its digest",
	BlobMissing:     "upload the blob first; a record is acknowledged only when its payload is durable",
	DiskFull:        "free disk space; the writer resumes from the next unacknowledged record, nothing acknowledged is lost",
	Corrupt:         "damage in the middle of the log; what is before it can be read. Run `provenir ledger verify`",
	LostAcked:       "the log is shorter than its own signed checkpoint: acknowledged records are gone. Restore the folder from a copy",
	WriteFailed:     "the disk failed twice; the log is read-only until the recorder is restarted on a sound disk",
	Unknown:         "the log has no checkpoint of that size; ask for the newest",
	Erased:          "the record's group was erased on purpose; its entry and proof stay, its payload cannot be read",
	Retired:         "a rule of retention took the payload away; its entry and proof stay. `provenir ledger verify` names the rule",
	Held:            "a legal hold forbids it; whoever set the hold can lift it with `provenir ledger hold lift`",
	KeyLost:         "restore the recorder's database from a backup: without its keys the payloads of a salted run cannot be read",
	CopyAway:        "the segment lies only in the store that it was shipped to; make that store reachable (recorder.ship.*), or copy the segment back into the folder",
	Invalid:         "correct the request",
}

// Fault is an error of the store. Zero fields do not apply to its kind.
type Fault struct {
	Kind     Kind
	Run      string
	Log      ledger.Log
	Seq      uint64 // the record that was refused
	Want     uint64 // the one expected, or the epoch that holds the run
	Segment  uint64
	Offset   int64
	FirstSeq uint64 // damaged or lost range
	LastSeq  uint64
	Cause    error
}

// Error says what happened, where, and what to do.
func (f *Fault) Error() string {
	at := ""
	switch f.Kind {
	case OutOfOrder:
		at = fmt.Sprintf(": record %d came, record %d is next", f.Seq, f.Want)
	case DivergentReplay, TooLarge, BlobMissing, Erased, Retired, KeyLost:
		at = fmt.Sprintf(": record %d", f.Seq)
	case LeaseLost:
		at = fmt.Sprintf(": epoch %d, the run is at %d", f.Seq, f.Want)
	case Corrupt:
		at = fmt.Sprintf(": segment %d at byte %d, records %d to %d", f.Segment, f.Offset, f.FirstSeq, f.LastSeq)
	case CopyAway:
		at = fmt.Sprintf(": segment %d", f.Segment)
	case LostAcked:
		at = fmt.Sprintf(": records %d to %d", f.FirstSeq, f.LastSeq)
	}
	if f.Cause != nil {
		at += ": " + f.Cause.Error()
	}
	return fmt.Sprintf("%s: log %s of run %s%s (%s)", f.Kind, f.Log, f.Run, at, cures[f.Kind])
}

// Unwrap is the cause.
func (f *Fault) Unwrap() error { return f.Cause }

// KindOf is the kind of an error of the store, empty for any other.
func KindOf(err error) Kind {
	var f *Fault
	if errors.As(err, &f) {
		return f.Kind
	}
	return ""
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
