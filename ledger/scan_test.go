package ledger_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/provenir/provenir/ledger"
)

func TestScanner(t *testing.T) {
	segment := buildLog(t, logSpec{records: 30})[ledger.SegmentName(0)].Data
	at, end := frameOf(t, segment, 10)
	tests := []struct {
		name    string
		image   []byte
		valid   int   // frames before Next stops
		stopped int64 // where
		err     error
		resumed uint64 // seq after Resync; 0 when nothing follows
	}{
		{"whole", segment, 30, int64(len(segment)), nil, 0},
		{"damaged frame", flip(segment, at+90), 10, int64(at), ledger.ErrFrameCRC, 11},
		{"damaged length", flip(segment, at), 10, int64(at), ledger.ErrFrameLength, 11},
		{"cut", segment[:end-1], 10, int64(at), ledger.ErrFrameShort, 0},
		{"zeros behind", append(bytes.Clone(segment[:end]), make([]byte, 500)...), 11, int64(end), ledger.ErrFrameLength, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := ledger.NewScanner(bytes.NewReader(tt.image), ledger.HeaderSize, int64(len(tt.image)))
			n := 0
			for ; s.Next(); n++ {
				if s.Frame().Seq != uint64(n) {
					t.Fatalf("record %d has seq %d", n, s.Frame().Seq)
				}
			}
			if n != tt.valid || s.Offset() != tt.stopped || !errors.Is(s.Err(), tt.err) {
				t.Errorf("%d frames up to %d, %v; want %d up to %d, %v", n, s.Offset(), s.Err(), tt.valid, tt.stopped, tt.err)
			}
			if tt.err == nil {
				return
			}
			if ok := s.Resync(8); ok != (tt.resumed > 0) {
				t.Fatalf("Resync = %v", ok)
			}
			if tt.resumed > 0 && (!s.Next() || s.Frame().Seq != tt.resumed) {
				t.Errorf("resumed at record %d, want %d", s.Frame().Seq, tt.resumed)
			}
		})
	}
}

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

// A frame larger than the scanner's window, and a reader that shrinks under it.
func TestScannerLargeFrame(t *testing.T) {
	folder := buildLog(t, logSpec{records: 3, payload: func(int) []byte { return bytes.Repeat([]byte("large"), 200_000) }})
	image := folder[ledger.SegmentName(0)].Data
	s := ledger.NewScanner(bytes.NewReader(image), ledger.HeaderSize, int64(len(image)))
	n := 0
	for s.Next() {
		if s.Frame().CheckDigest() != ledger.DigestOK {
			t.Fatal("payload was not read whole")
		}
		n++
	}
	if n != 3 || s.Err() != nil {
		t.Fatalf("%d frames, %v", n, s.Err())
	}
	s = ledger.NewScanner(bytes.NewReader(image[:1000]), ledger.HeaderSize, int64(len(image)))
	if s.Next() || s.Err() == nil {
		t.Error("a file that became shorter must be an error")
	}
}
