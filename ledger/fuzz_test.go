package ledger_test

import (
	"bytes"
	"context"
	"testing"
	"testing/fstest"

	"github.com/provenir/provenir/ledger"
)

func FuzzScanSegment(f *testing.F) {
	image := buildLog(f, logSpec{records: 5})[ledger.SegmentName(0)].Data
	f.Add(image)
	f.Add(image[:len(image)-3])
	f.Add(flip(image, 200))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, image []byte) {
		s := ledger.NewScanner(bytes.NewReader(image), ledger.HeaderSize, int64(len(image)))
		for more := true; more; more = s.Err() != nil && s.Resync(1) {
			before := s.Offset()
			for s.Next() {
				if s.Offset() <= before {
					t.Fatal("the scanner does not move")
				}
				before = s.Offset()
			}
		}
		folder := fstest.MapFS{ledger.SegmentName(0): {Data: image}}
		if _, err := ledger.Verify(context.Background(), folder, ledger.VerifyOptions{}); err != nil {
			t.Fatalf("damage is a report, not an error: %v", err)
		}
	})
}

func FuzzSegmentHeader(f *testing.F) {
	f.Add(ledger.Header{Log: ledger.Events, Epoch: 3}.AppendBinary(nil))
	f.Add([]byte("PVRLEDG1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ledger.ParseHeader(b)
		if err == nil && !bytes.Equal(h.AppendBinary(nil), b[:ledger.HeaderSize]) {
			t.Fatalf("header %+v does not write what was read", h)
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	folder := buildLog(f, logSpec{records: 5})
	f.Add(folder[ledger.CheckpointFile].Data)
	f.Add([]byte("o\n1\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := ledger.ParseCheckpoint(string(b)); err == nil && c.Text() != string(b) {
			t.Fatalf("checkpoint %+v does not write what was read", c)
		}
		if c, err := ledger.ReadCheckpoint(b); err == nil && !bytes.HasPrefix(b, []byte(c.Text())) {
			t.Fatalf("signed checkpoint %+v is not what was read", c)
		}
		h := ledger.NewHistoryReader(bytes.NewReader(b))
		for _, err := h.Next(); err == nil; _, err = h.Next() {
		}
	})
}

func FuzzTile(f *testing.F) {
	f.Add("tile/0/000.p/3", make([]byte, 96), uint64(3))
	f.Add("tile/1/x001/x234/067", []byte{}, uint64(70000))
	f.Fuzz(func(t *testing.T, path string, data []byte, size uint64) {
		if tile, err := ledger.ParseTilePath(path); err == nil && tile.Path() != path {
			t.Fatalf("tile %+v does not write what was read", tile)
		}
		hashes, err := ledger.ParseTile(data)
		if err == nil && len(hashes)*32 != len(data) {
			t.Fatal("bytes were lost")
		}
		read := func(ledger.Tile) ([]byte, error) { return data, nil }
		tree, err := ledger.RestoreTree(size, read, func(ledger.Tile, []byte) {})
		if err == nil && size > 0 {
			p := ledger.NewProver(size, tree.Root(), read)
			if proof, err := p.Inclusion(size - 1); err == nil && len(proof) > 64 {
				t.Fatal("a proof longer than the tree is high")
			}
		}
	})
}

// Whatever segment is accepted, what stays of it is accepted too, vouches for the same records, and has no payload.
func FuzzRetireSegment(f *testing.F) {
	image := buildLog(f, logSpec{records: 9, perSegment: 4})[ledger.SegmentName(1)].Data
	f.Add(image)
	f.Add(flip(image, 150))
	f.Add(image[:len(image)-8])
	f.Fuzz(func(t *testing.T, image []byte) {
		var out bytes.Buffer
		is, err := ledger.RetireSegment(context.Background(), bytes.NewReader(image), int64(len(image)), &out)
		if err != nil {
			return
		}
		got, err := ledger.ReadRetired(context.Background(), bytes.NewReader(out.Bytes()), int64(out.Len()), nil)
		if err != nil || got.Trailer != is.Trailer || got.Header != is.Header {
			t.Fatalf("what stays is refused: %v", err)
		}
	})
}

func FuzzNotes(f *testing.F) {
	f.Add([]byte(`{"v":1,"log":"events","rule":"r","by":"b","at":"2028-01-02T03:04:05Z","segments":[{"segment":0,"first_seq":0,"last_seq":9}]}`))
	f.Add([]byte(`{"v":1,"hold":"h","scope":"run","set":true}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, err := ledger.ParseRetentionNote(b); err == nil {
			if again, err := n.Marshal(); err == nil {
				if back, err := ledger.ParseRetentionNote(again); err != nil || len(back.Segments) != len(n.Segments) || back.Rule != n.Rule {
					t.Fatalf("%q becomes %q: %v", b, again, err)
				}
			}
		}
		if n, err := ledger.ParseHoldNote(b); err == nil {
			if again, err := n.Marshal(); err == nil {
				if back, err := ledger.ParseHoldNote(again); err != nil || back.Hold != n.Hold || back.Set != n.Set {
					t.Fatalf("%q becomes %q: %v", b, again, err)
				}
			}
		}
	})
}
