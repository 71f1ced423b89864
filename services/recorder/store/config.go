package store

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
)

// Config are the sizes and times of a store. The zero value of a field means its default.
type Config struct {
	SegmentBytes      int64         // a segment is sealed before it grows past this; 64 MiB
	BatchRecords      int           // a commit batch closes at this many records; 1,024
	BatchBytes        int           // or at this many bytes; 4 MiB
	Linger            time.Duration // or this long after its first record; 1 ms
	TimingLinger      time.Duration // the log timing may lose its tail, so it is synced less often; 1 s
	CheckpointRecords uint64        // a checkpoint is signed after this many records; 1,024
	CheckpointEvery   time.Duration // or this long after a commit; 1 s
	Syncs             int           // files that are synced at once; 16
	MinFree           uint64        // less free space than this (or 2 % of the disk) is low; 512 MiB
	Reserve           int64         // kept back for findings and checkpoints when the disk is full; 64 MiB. Negative is none
	Host              string        // written into COMMIT records
}

func (c Config) withDefaults() Config {
	def(&c.SegmentBytes, 64<<20)
	def(&c.BatchRecords, 1024)
	def(&c.BatchBytes, 4<<20)
	def(&c.Linger, time.Millisecond)
	def(&c.TimingLinger, time.Second)
	def(&c.CheckpointRecords, 1024)
	def(&c.CheckpointEvery, time.Second)
	def(&c.Syncs, 16)
	def(&c.MinFree, 512<<20)
	def(&c.Reserve, 64<<20)
	return c
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c Config) check() error {
	if c.SegmentBytes < 4096 || c.BatchRecords < 1 || c.BatchBytes < 1 || c.Linger < 0 || c.TimingLinger < 0 || c.CheckpointEvery < 0 || c.Syncs < 1 {
		return fmt.Errorf("store: config out of range (segments of at least 4 KiB, batches and syncs of at least 1, no negative time): %+v", c)
	}
	return nil
}

// Blobs are payloads that lie outside the log.
type Blobs interface {
	// Has says whether one is durable.
	Has(ctx context.Context, sha256 [32]byte) (bool, error)
	// OpenHere reads one; fs.ErrNotExist where there is none.
	OpenHere(ctx context.Context, sha256 [32]byte) (io.ReadSeekCloser, int64, error)
	// Restore puts one in the place of one that is damaged or missing; bytes of another digest are refused.
	Restore(ctx context.Context, sha256 [32]byte, r io.Reader) error
}

// Transit is where the writer of a salted run leaves a payload that is too large for a frame, and where its ciphertext goes.
type Transit interface {
	// OpenTransit reads what a writer left; fs.ErrNotExist where there is nothing.
	OpenTransit(ctx context.Context, sha256 [32]byte) (io.ReadSeekCloser, int64, error)
	DropTransit(ctx context.Context, sha256 [32]byte) error
	// Keep stores bytes among the blobs and says under which digest.
	Keep(ctx context.Context, r io.Reader) ([32]byte, error)
	// Remove deletes a blob that nothing else points to.
	Remove(ctx context.Context, sha256 [32]byte) error
}

// Deps are the store's neighbours.
type Deps struct {
	Disk    disk.FS
	Clock   clock.Clock
	Signer  note.Signer // of checkpoints
	Blobs   Blobs       // nil refuses records that point to blobs
	Transit Transit     // nil refuses payloads of salted runs that are too large for a frame
	Copies  Copies      // where sealed segments were shipped to; nil is nowhere
	Vault   Vault       // keys of salted runs; nil refuses records of a group
	Log     *slog.Logger
	Faults  *faultline.Line // nil outside of crash tests
}

// Crash points, in the order in which a commit passes them.
const (
	PointWritten     faultline.Point = "recorder.written"     // bytes are in the file, not synced
	PointSynced      faultline.Point = "recorder.synced"      // durable, not acknowledged
	PointTrailer     faultline.Point = "recorder.trailer"     // a segment is sealed, the next does not exist
	PointRolled      faultline.Point = "recorder.rolled"      // the next segment exists and is empty
	PointHistory     faultline.Point = "recorder.history"     // the checkpoint is in the history, not yet the newest
	PointFenceRaised faultline.Point = "recorder.fenceraised" // the epoch is on disk, nobody has been told
)

// Record is what a writer appends.
type Record struct {
	Seq      uint64
	Type     ledger.RecordType
	Payload  []byte // kept only during the call
	Blob     *Blob  // where the payload lies when it is not here
	Group    string // the erasure group that the payload is encrypted under; empty stores it as it is
	Volatile []byte // what two equal runs do not share; it goes to the log timing

	Digest ledger.Hash // SHA-256 of the payload, set by Append; zero where it did not need it

	sealed []byte // what is stored of the payload of a group
}

// Blob is a payload in the blob store.
type Blob struct {
	Digest    ledger.Hash
	Size      uint64
	MediaType string
}
