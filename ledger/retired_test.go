package ledger_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/provenir/provenir/ledger"
)

// What a frame keeps is what a proof or an erasure needs, and nothing of the content.
func TestRetireFrame(t *testing.T) {
	secret := strings.Repeat("secret", 20)
	encrypted := append([]byte{120, 0, 0, 0, 0, 0, 0, 0}, []byte("0123456789abcdef"+secret)...)
	tests := []struct {
		name   string
		flags  ledger.FrameFlags
		stored []byte
		keeps  string
	}{
		{"inline", 0, []byte(secret), ""},
		{"blob", ledger.StoredAsBlob, ledger.BlobPayload(120, "text/plain"), "text/plain"},
		{"encrypted", ledger.StoredEncrypted, encrypted, "0123456789abcdef"},
		{"empty", 0, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := ledger.Frame{Entry: ledger.NewEntry(7, ledger.Rollout, tt.stored), Flags: tt.flags, Stored: tt.stored}
			if tt.flags != 0 {
				f.Length = 120
			}
			once := f.Retire()
			b := ledger.AppendFrame(nil, &once)
			got, n, err := ledger.DecodeFrame(b)
			if err != nil || n != len(b) || got.Entry != f.Entry || !got.Retired() || got.Inline() {
				t.Fatalf("%+v, %v", got, err)
			}
			if bytes.Contains(b, []byte("secret")) || !bytes.HasSuffix(got.Stored, []byte(tt.keeps)) {
				t.Errorf("it stores %q", got.Stored)
			}
			if twice := got.Retire(); !bytes.Equal(ledger.AppendFrame(nil, &twice), b) {
				t.Error("retiring it again changes it")
			}
			if got.CheckDigest() != ledger.DigestUnchecked {
				t.Error("a payload that is gone passes for checked")
			}
		})
	}
}

func TestRetireSegmentRefuses(t *testing.T) {
	whole := buildLog(t, logSpec{records: 25, perSegment: 10})
	tests := []struct {
		name   string
		change func(b []byte) []byte
	}{
		{"a flipped bit", func(b []byte) []byte { b[500] ^= 1; return b }},
		{"no trailer", func(b []byte) []byte { return b[:len(b)-64] }},
		{"bytes after the end", func(b []byte) []byte { return append(b, make([]byte, 96)...) }},
		{"nothing", func([]byte) []byte { return nil }},
		{"a header alone", func(b []byte) []byte { return b[:ledger.HeaderSize] }},
		{"retired already", func(b []byte) []byte {
			var out bytes.Buffer
			if _, err := ledger.RetireSegment(t.Context(), bytes.NewReader(b), int64(len(b)), &out); err != nil {
				t.Fatal(err)
			}
			return out.Bytes()
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := tt.change(bytes.Clone(whole[ledger.SegmentName(1)].Data))
			if _, err := ledger.RetireSegment(t.Context(), bytes.NewReader(b), int64(len(b)), &bytes.Buffer{}); !errors.Is(err, ledger.ErrSealed) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestReadRetired(t *testing.T) {
	segment := buildLog(t, logSpec{records: 25, perSegment: 10})[ledger.SegmentName(1)].Data
	var out bytes.Buffer
	was, err := ledger.RetireSegment(t.Context(), bytes.NewReader(segment), int64(len(segment)), &out)
	if err != nil {
		t.Fatal(err)
	}
	var before, after []ledger.Hash
	if _, err := ledger.ReadSealed(t.Context(), bytes.NewReader(segment), int64(len(segment)), func(h ledger.Hash) { before = append(before, h) }); err != nil {
		t.Fatal(err)
	}
	is, err := ledger.ReadRetired(t.Context(), bytes.NewReader(out.Bytes()), int64(out.Len()), func(h ledger.Hash) { after = append(after, h) })
	if err != nil || is.Trailer != was.Trailer || is.Header != was.Header || len(after) != 10 {
		t.Fatalf("%+v, %d leaves, %v", is, len(after), err)
	}
	for i := range before {
		if before[i] != after[i] {
			t.Errorf("leaf %d is another one", i)
		}
	}
	for at := range out.Len() { // no bit of what stays can change unseen
		b := bytes.Clone(out.Bytes())
		b[at] ^= 0x10
		got, err := ledger.ReadRetired(t.Context(), bytes.NewReader(b), int64(len(b)), nil)
		if err == nil && got.Header == was.Header && got.Trailer == was.Trailer {
			t.Fatalf("byte %d", at)
		}
	}
	if _, err := ledger.ReadRetired(t.Context(), bytes.NewReader(segment), int64(len(segment)), nil); !errors.Is(err, ledger.ErrSealed) {
		t.Errorf("a segment with payloads passes for a retired one: %v", err)
	}
}

func TestRetentionNote(t *testing.T) {
	good := ledger.RetentionNote{Log: "events", Rule: "r", By: "b", At: retiredAt, Segments: []ledger.RetentionSegment{{Segment: 3, FirstSeq: 5, LastSeq: 9}}}
	b, err := good.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if back, err := ledger.ParseRetentionNote(b); err != nil || back.Rule != "r" || back.Segments[0].LastSeq != 9 || !back.At.Equal(retiredAt) {
		t.Errorf("%+v, %v", back, err)
	}
	for _, bad := range []string{``, `{}`, `[]`, `{"v":2,"log":"events","rule":"r","at":"2028-01-02T03:04:05Z","segments":[{}]}`,
		`{"v":1,"log":"events","rule":"","at":"2028-01-02T03:04:05Z","segments":[{}]}`, `{"v":1,"log":"events","rule":"r","at":"2028-01-02T03:04:05Z","segments":[]}`,
		`{"v":1,"log":"events","rule":"r","segments":[{}]}`, `{"v":1,"segments":[{"sha256":"x"}]}`} {
		if _, err := ledger.ParseRetentionNote([]byte(bad)); !errors.Is(err, ledger.ErrRetention) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	good.Segments = make([]ledger.RetentionSegment, ledger.MaxRetentionSegments+1)
	if _, err := good.Marshal(); !errors.Is(err, ledger.ErrRetention) {
		t.Errorf("a note that is too long: %v", err)
	}
}

func TestHoldNote(t *testing.T) {
	b, err := ledger.HoldNote{Hold: "h", Scope: ledger.HoldTenant, Set: true, Reason: "case 7", By: "owner", At: retiredAt}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := ledger.ParseHoldNote(b); err != nil || !n.Set || n.Reason != "case 7" || !n.At.Equal(retiredAt) {
		t.Errorf("%+v, %v", n, err)
	}
	for _, bad := range []string{``, `{}`, `{"v":1,"hold":"","scope":"run"}`, `{"v":1,"hold":"h","scope":"world"}`, `{"v":3,"hold":"h","scope":"run"}`} {
		if _, err := ledger.ParseHoldNote([]byte(bad)); !errors.Is(err, ledger.ErrHold) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestRetiredName(t *testing.T) {
	for name, want := range map[string]bool{"00000003.retired": true, "dir/00000003.retired": true, "3.retired": false, "00000003.seg": false, "x.retired": false, ".retired": false} {
		if n, ok := ledger.ParseRetiredName(name); ok != want || ok && n != 3 {
			t.Errorf("%s: %d, %v", name, n, ok)
		}
	}
}

func TestRepairNote(t *testing.T) {
	b, err := ledger.RepairNote{Log: "events", Segments: []uint64{0, 4}, By: "owner", At: retiredAt}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := ledger.ParseRepairNote(b); err != nil || len(n.Segments) != 2 || n.By != "owner" {
		t.Errorf("%+v, %v", n, err)
	}
	for _, bad := range []string{``, `{}`, `{"v":1,"log":"events"}`, `{"v":2,"log":"events","segments":[1]}`, `{"v":1,"segments":[1]}`} {
		if _, err := ledger.ParseRepairNote([]byte(bad)); !errors.Is(err, ledger.ErrRepair) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
