// Package checkpoint keeps what training produces: announced checkpoints by content, and snapshots for crash recovery.
//
// A checkpoint is a Hugging Face folder and its state. Its files lie in the blob store; its manifest names them with
// size and SHA-256, and the SHA-256 of the manifest's RFC 8785 form is the checkpoint's digest. A snapshot is a local
// folder, the last two of which are kept; it is never announced.
package checkpoint

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gowebpki/jcs"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/trainer/engine"
)

// Migration makes the table.
var Migration = store.Migration{Name: "checkpoints", SQL: `CREATE TABLE checkpoints (
	digest TEXT PRIMARY KEY, run TEXT NOT NULL, step INTEGER NOT NULL, branch INTEGER NOT NULL, stage INTEGER NOT NULL,
	created INTEGER NOT NULL, body BLOB NOT NULL);
	CREATE TABLE run_checkpoints (run TEXT NOT NULL, branch INTEGER NOT NULL, step INTEGER NOT NULL, digest TEXT NOT NULL,
	PRIMARY KEY (run, branch, step));`}

// Store keeps checkpoints.
type Store struct {
	db    *store.DB
	blobs *blob.Store
}

// NewStore keeps files in blobs and the list in db.
func NewStore(db *store.DB, blobs *blob.Store) *Store { return &Store{db: db, blobs: blobs} }

type manifest struct {
	Schema string         `json:"schema"`
	Files  []manifestFile `json:"files"`
}

type manifestFile struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Size   uint64 `json:"size"`
}

// Meta places a checkpoint in its run.
type Meta struct {
	Run    string
	Step   uint64
	Branch uint32
	Stage  uint32
	Parent []byte
	Kind   trainerv1.CheckpointKind
}

// Save stores the engine's files and state.json, and lists the checkpoint. The same content again is the same digest.
func (s *Store) Save(ctx context.Context, m Meta, write func(engine.Sink) error, now time.Time) (*trainerv1.CheckpointSaved, error) {
	sink := &blobSink{ctx: ctx, blobs: s.blobs}
	if err := write(sink); err != nil {
		return nil, fmt.Errorf("save checkpoint of step %d: %w", m.Step, err)
	}
	if len(sink.files) == 0 {
		return nil, fmt.Errorf("save checkpoint of step %d: the engine wrote no file", m.Step)
	}
	slices.SortFunc(sink.files, func(a, b *corev1.FileRef) int { return strings.Compare(a.GetPath(), b.GetPath()) })
	saved := &trainerv1.CheckpointSaved{Step: m.Step, Branch: m.Branch, Stage: m.Stage, Parent: m.Parent, Kind: m.Kind, Files: sink.files}
	digest, err := manifestDigest(sink.files)
	if err != nil {
		return nil, err
	}
	saved.Digest = digest[:]
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(saved)
	if err != nil {
		return nil, err
	}
	name := hex.EncodeToString(saved.GetDigest())
	return saved, s.db.Within(ctx, func(tx store.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO checkpoints (digest, run, step, branch, stage, created, body) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (digest) DO NOTHING`, name, m.Run, m.Step, m.Branch, m.Stage, now.UnixMilli(), body); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO run_checkpoints (run, branch, step, digest) VALUES (?, ?, ?, ?)
			ON CONFLICT (run, branch, step) DO UPDATE SET digest = excluded.digest`, m.Run, m.Branch, m.Step, name)
		return err
	})
}

func manifestDigest(files []*corev1.FileRef) ([32]byte, error) {
	m := manifest{Schema: "provenir.checkpoint/v1"}
	for _, f := range files {
		m.Files = append(m.Files, manifestFile{f.GetPath(), hex.EncodeToString(f.GetDigest()), f.GetSizeBytes()})
	}
	b, err := json.Marshal(m)
	if err != nil {
		return [32]byte{}, err
	}
	canonical, err := jcs.Transform(b)
	if err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256(canonical), nil
}

// ErrNotFound is the answer for a checkpoint that is not listed.
var ErrNotFound = errors.New("no such checkpoint")

// Find takes a digest in hex, run@step or run@last.
func (s *Store) Find(ctx context.Context, name string) (*trainerv1.Checkpoint, error) {
	run, at, ofRun := strings.Cut(name, "@")
	var row *sql.Row
	switch {
	case !ofRun:
		row = s.db.QueryRow(ctx, `SELECT c.run, c.created, c.body FROM checkpoints c WHERE c.digest = ?`, strings.TrimPrefix(name, "sha256:"))
	case at == "last":
		row = s.db.QueryRow(ctx, `SELECT r.run, c.created, c.body FROM run_checkpoints r JOIN checkpoints c ON c.digest = r.digest
			WHERE r.run = ? ORDER BY r.branch DESC, r.step DESC LIMIT 1`, run)
	default:
		step, err := strconv.ParseUint(at, 10, 63)
		if err != nil {
			return nil, fmt.Errorf("%q: want a digest, run@step or run@last: %w", name, ErrNotFound)
		}
		row = s.db.QueryRow(ctx, `SELECT r.run, c.created, c.body FROM run_checkpoints r JOIN checkpoints c ON c.digest = r.digest
			WHERE r.run = ? AND r.step = ? ORDER BY r.branch DESC LIMIT 1`, run, step)
	}
	c, err := scan(row.Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("checkpoint %s: %w", name, ErrNotFound)
	}
	return c, err
}

// List gives a run's checkpoints (all runs' for an empty run), oldest first, after an offset.
func (s *Store) List(ctx context.Context, run string, offset, limit int) ([]*trainerv1.Checkpoint, error) {
	rows, err := s.db.Query(ctx, `SELECT r.run, c.created, c.body FROM run_checkpoints r JOIN checkpoints c ON c.digest = r.digest
		WHERE ? = '' OR r.run = ? ORDER BY c.created, r.run, r.branch, r.step LIMIT ? OFFSET ?`, run, run, limit, offset)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*trainerv1.Checkpoint
	for rows.Next() {
		c, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

func scan(into func(...any) error) (*trainerv1.Checkpoint, error) {
	var run string
	var created int64
	var body []byte
	if err := into(&run, &created, &body); err != nil {
		return nil, err
	}
	var saved trainerv1.CheckpointSaved
	if err := proto.Unmarshal(body, &saved); err != nil {
		return nil, fmt.Errorf("checkpoint list is damaged: %w", err)
	}
	return &trainerv1.Checkpoint{Digest: saved.GetDigest(), RunId: run, Step: saved.GetStep(), Branch: saved.GetBranch(),
		Stage: saved.GetStage(), Parent: saved.GetParent(), Files: saved.GetFiles(), Kind: saved.GetKind(),
		CreateTime: timestamppb.New(time.UnixMilli(created))}, nil
}

// Open gives a checkpoint's files, after checking that its manifest has the digest it is listed under. Each file's
// digest is checked when it is read.
func (s *Store) Open(c *trainerv1.Checkpoint) (fs.FS, error) {
	d, err := manifestDigest(c.GetFiles())
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(d[:], c.GetDigest()) {
		return nil, &engine.Error{Reason: "CHECKPOINT_CORRUPT", Detail: fmt.Sprintf("the manifest has digest %x, the list says %x", d, c.GetDigest())}
	}
	return Folder(s.blobs, c.GetFiles()), nil
}

type blobSink struct {
	ctx   context.Context //nolint:containedctx // engine.Sink has no context of its own; the sink lives for one Save
	blobs *blob.Store
	files []*corev1.FileRef
}

// Create writes one file into the blob store.
func (s *blobSink) Create(name string) (io.WriteCloser, error) {
	if !fs.ValidPath(name) {
		return nil, fmt.Errorf("%q is no file name", name)
	}
	r, w := io.Pipe()
	f := &blobFile{PipeWriter: w, done: make(chan error, 1)}
	go func() {
		d, size, err := s.blobs.Put(s.ctx, r, nil)
		_ = r.CloseWithError(err) // a writer that goes on after a failed put gets the error
		if err == nil {
			s.files = append(s.files, &corev1.FileRef{Path: name, Digest: d[:], SizeBytes: uint64(size)})
		}
		f.done <- err
	}()
	return f, nil
}

type blobFile struct {
	*io.PipeWriter
	done chan error
}

// Close waits until the file is on disk.
func (f *blobFile) Close() error {
	_ = f.PipeWriter.Close() // a PipeWriter's Close never fails
	return <-f.done
}
