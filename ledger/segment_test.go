package ledger_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/provenir/provenir/ledger"
)

func TestHeaderRoundTrip(t *testing.T) {
	want := ledger.Header{Flags: 5, Run: [16]byte{1, 2, 3}, Segment: 4, FirstSeq: 1 << 33, Epoch: 9, Prev: ledger.Hash{8}, Log: ledger.Timing}
	b := want.AppendBinary(nil)
	if len(b) != ledger.HeaderSize {
		t.Fatalf("%d bytes", len(b))
	}
	got, err := ledger.ParseHeader(b)
	if err != nil || got != want {
		t.Errorf("ParseHeader = %+v, %v", got, err)
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	whole := ledger.Header{Log: ledger.Events}.AppendBinary(nil)
	tests := []struct {
		name   string
		damage func([]byte) []byte
	}{
		{"short", func(b []byte) []byte { return b[:127] }},
		{"magic", func(b []byte) []byte { b[0] = 'X'; return b }},
		{"any bit", func(b []byte) []byte { b[60] ^= 4; return b }},
		{"checksum", func(b []byte) []byte { b[127] ^= 1; return b }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ledger.ParseHeader(tt.damage(bytes.Clone(whole))); !errors.Is(err, ledger.ErrHeader) {
				t.Errorf("error %v, want ErrHeader", err)
			}
		})
	}
}

func TestSegmentName(t *testing.T) {
	tests := []struct {
		name string
		n    uint64
		ok   bool
	}{
		{"00000000.seg", 0, true},
		{"00000017.seg", 17, true},
		{"123456789.seg", 123456789, true},
		{"events/00000002.seg", 2, true},
		{"0.seg", 0, false},
		{"00000000.idx", 0, false},
		{"checkpoint", 0, false},
		{"-0000001.seg", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if n, ok := ledger.ParseSegmentName(tt.name); ok != tt.ok || ok && n != tt.n {
				t.Errorf("ParseSegmentName = %d, %v", n, ok)
			}
		})
	}
}

func TestTrailer(t *testing.T) {
	want := ledger.Trailer{Count: 3, FirstSeq: 10, LastSeq: 12, Chain: ledger.Hash{1}, File: ledger.Hash{2}}
	f := want.Frame()
	got, n, err := ledger.DecodeFrame(ledger.AppendFrame(nil, &f))
	if err != nil || n != f.Size() || !got.IsTrailer() {
		t.Fatalf("trailer frame: %v", err)
	}
	if tr, err := ledger.ParseTrailer(&got); err != nil || tr != want {
		t.Errorf("ParseTrailer = %+v, %v", tr, err)
	}
	lying := ledger.Trailer{Count: 3, FirstSeq: 10, LastSeq: 13}.Frame()
	if _, err := ledger.ParseTrailer(&lying); err == nil {
		t.Error("a trailer that contradicts itself was accepted")
	}
}

func TestOrigin(t *testing.T) {
	tenant, run, log, err := ledger.ParseOrigin(ledger.Origin("acme", "r1", ledger.Findings))
	if err != nil || tenant != "acme" || run != "r1" || log != ledger.Findings {
		t.Errorf("ParseOrigin = %q, %q, %v, %v", tenant, run, log, err)
	}
	for _, bad := range []string{"", "example.com/ledger/a/b/events", "provenir.dev/ledger/a/b", "provenir.dev/ledger/a/b/other", "provenir.dev/ledger//b/events"} {
		if _, _, _, err := ledger.ParseOrigin(bad); !errors.Is(err, ledger.ErrOrigin) {
			t.Errorf("ParseOrigin(%q) = %v, want ErrOrigin", bad, err)
		}
	}
}
