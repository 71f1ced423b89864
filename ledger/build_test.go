package ledger_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/mod/sumdb/note"

	"github.com/provenir/provenir/ledger"
)

const testOrigin = "provenir.dev/ledger/acme/run-1/events"

// signer is a recorder's key made from a seed, so that failures repeat.
func testKey(t testing.TB, name string) (note.Signer, note.Verifiers) {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	skey, vkey, err := note.GenerateKey(strings.NewReader(string(seed[:])), name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return s, note.VerifierList(v)
}

func witnessKey(t testing.TB, name string) (*ledger.Cosigner, ed25519.PrivateKey) {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	key := ed25519.NewKeyFromSeed(seed[:])
	c, err := ledger.NewCosigner(name, key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

// logSpec says what a test log looks like.
type logSpec struct {
	records    int
	perSegment int // records a segment; the last one stays open
	every      int // records between checkpoints
	origin     string
	payload    func(i int) []byte
	log        ledger.Log        // events
	typ        ledger.RecordType // ROLLOUT
}

func (s logSpec) withDefaults() logSpec {
	if s.perSegment == 0 {
		s.perSegment = 1 << 30
	}
	if s.every == 0 {
		s.every = 10
	}
	if s.origin == "" {
		s.origin = testOrigin
	}
	if s.log == 0 {
		s.log, s.typ = ledger.Events, ledger.Rollout
	}
	if s.payload == nil {
		s.payload = func(i int) []byte { return fmt.Appendf(nil, "payload of record %d %s", i, strings.Repeat("x", i%23)) }
	}
	return s
}

// buildLog writes a log into memory the way a recorder does: segments with trailers, tiles, checkpoints.
func buildLog(t testing.TB, spec logSpec) fstest.MapFS {
	t.Helper()
	spec = spec.withDefaults()
	signer, _ := testKey(t, "recorder.test")
	folder := fstest.MapFS{}
	tree := ledger.NewTiledTree(func(tile ledger.Tile, data []byte) {
		f := folder[tile.File()]
		if f == nil {
			f = &fstest.MapFile{}
			folder[tile.File()] = f
		}
		f.Data = append(f.Data, data...) // full tiles of a level come in order
	})
	var chain ledger.Hash
	var segment, history []byte
	header := ledger.Header{Run: [16]byte{7}, Epoch: 1, Log: spec.log}
	put := func() {
		folder[ledger.SegmentName(header.Segment)] = &fstest.MapFile{Data: append([]byte(nil), segment...)}
	}
	checkpoint := func() {
		signed, err := ledger.Checkpoint{Origin: spec.origin, Size: tree.Size(), Root: tree.Root()}.Sign(signer)
		if err != nil {
			t.Fatal(err)
		}
		history = ledger.AppendHistory(history, signed)
		folder[ledger.CheckpointFile] = &fstest.MapFile{Data: signed}
	}
	for i := range spec.records {
		if i%spec.perSegment == 0 {
			if i > 0 {
				tr := ledger.Trailer{Count: uint64(i) - header.FirstSeq, FirstSeq: header.FirstSeq, LastSeq: uint64(i) - 1,
					Chain: chain, File: sha256.Sum256(segment)}
				f := tr.Frame()
				segment = ledger.AppendFrame(segment, &f)
				put()
				header.Segment++
			}
			header.FirstSeq, header.Prev = uint64(i), chain
			segment = header.AppendBinary(nil)
		}
		payload := spec.payload(i)
		f := ledger.Frame{Entry: ledger.NewEntry(uint64(i), spec.typ, payload), Prev: chain, Stored: payload}
		segment = ledger.AppendFrame(segment, &f)
		var leaf ledger.Hash
		leaf, chain = f.Hashes(chain)
		tree.Append(leaf)
		if (i+1)%spec.every == 0 || i == spec.records-1 {
			checkpoint()
		}
	}
	put()
	folder[ledger.HistoryFile] = &fstest.MapFile{Data: history}
	return folder
}

// frameOf finds a record's frame in a segment image.
func frameOf(t testing.TB, segment []byte, seq uint64) (start, end int) {
	t.Helper()
	for at := ledger.HeaderSize; at < len(segment); {
		f, n, err := ledger.DecodeFrame(segment[at:])
		if err != nil {
			t.Fatal(err)
		}
		if f.Seq == seq && !f.IsTrailer() {
			return at, at + n
		}
		at += n
	}
	t.Fatalf("no record %d in the segment", seq)
	return 0, 0
}
