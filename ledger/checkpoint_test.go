package ledger_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/provenir/provenir/ledger"
)

func TestCheckpointSignOpen(t *testing.T) {
	signer, keys := testKey(t, "recorder.test")
	_, foreign := testKey(t, "somebody.else")
	want := ledger.Checkpoint{Origin: testOrigin, Size: 12, Root: ledger.Hash{1, 2}}
	signed, err := want.Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		signed []byte
		origin string
		keys   note.Verifiers
		ok     bool
	}{
		{"good", signed, testOrigin, keys, true},
		{"any origin", signed, "", keys, true},
		{"other origin", signed, "provenir.dev/ledger/acme/run-2/events", keys, false},
		{"other key", signed, testOrigin, foreign, false},
		{"edited size", bytes.Replace(signed, []byte("\n12\n"), []byte("\n13\n"), 1), testOrigin, keys, false},
		{"cut", signed[:len(signed)-2], testOrigin, keys, false},
		{"too long", make([]byte, 1<<17), testOrigin, keys, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := ledger.OpenCheckpoint(tt.signed, tt.origin, tt.keys)
			if (err == nil) != tt.ok {
				t.Fatalf("error %v", err)
			}
			if tt.ok && got != want {
				t.Errorf("got %+v", got)
			}
		})
	}
	if got, err := ledger.ReadCheckpoint(signed); err != nil || got != want {
		t.Errorf("ReadCheckpoint = %+v, %v", got, err)
	}
}

func TestParseCheckpointIsStrict(t *testing.T) {
	good := ledger.Checkpoint{Origin: "o", Size: 7}.Text()
	if _, err := ledger.ParseCheckpoint(good); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, text string }{
		{"empty", ""},
		{"no origin", strings.TrimPrefix(good, "o")},
		{"leading zero", strings.Replace(good, "7", "07", 1)},
		{"sign", strings.Replace(good, "7", "+7", 1)},
		{"too large", strings.Replace(good, "7", "9223372036854775808", 1)},
		{"extension line", good + "more\n"},
		{"no newline", strings.TrimSuffix(good, "\n")},
		{"carriage return", strings.ReplaceAll(good, "\n", "\r\n")},
		{"short root", "o\n7\nAAAA\n"},
		{"loose base64", strings.Replace(good, "A=", "B=", 1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if c, err := ledger.ParseCheckpoint(tt.text); !errors.Is(err, ledger.ErrCheckpoint) {
				t.Errorf("accepted as %+v, error %v", c, err)
			}
		})
	}
}

func TestHistoryReader(t *testing.T) {
	signer, _ := testKey(t, "recorder.test")
	var file []byte
	var notes [][]byte
	for i := range uint64(3) {
		signed, err := ledger.Checkpoint{Origin: testOrigin, Size: i}.Sign(signer)
		if err != nil {
			t.Fatal(err)
		}
		notes = append(notes, signed)
		file = ledger.AppendHistory(file, signed)
	}
	h := ledger.NewHistoryReader(bytes.NewReader(file))
	for i, want := range notes {
		if got, err := h.Next(); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("entry %d: %q, %v", i, got, err)
		}
	}
	if _, err := h.Next(); err != io.EOF || h.Offset() != int64(len(file)) {
		t.Errorf("at the end: %v, offset %d of %d", err, h.Offset(), len(file))
	}
	cut := ledger.NewHistoryReader(bytes.NewReader(file[:len(file)-5]))
	for range 2 {
		if _, err := cut.Next(); err != nil {
			t.Fatal(err)
		}
	}
	whole := cut.Offset()
	if _, err := cut.Next(); err != io.ErrUnexpectedEOF || cut.Offset() != whole || whole != int64(2*len(file)/3) {
		t.Errorf("cut entry: %v, offset %d", err, cut.Offset())
	}
	if _, err := ledger.NewHistoryReader(bytes.NewReader(bytes.Repeat([]byte("x"), 1<<18))).Next(); !errors.Is(err, ledger.ErrCheckpoint) {
		t.Errorf("endless line: %v", err)
	}
}

func TestCosignature(t *testing.T) {
	signer, keys := testKey(t, "recorder.test")
	witness, key := witnessKey(t, "witness.test")
	c := ledger.Checkpoint{Origin: testOrigin, Size: 12, Root: ledger.Hash{1, 2}}
	signed, err := c.Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	both, err := ledger.Cosign(signed, witness, key, at)
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := ledger.OpenCheckpoint(both, testOrigin, keys); err != nil || got != c {
		t.Errorf("the first signature no longer holds: %v", err)
	}
	parsed, err := ledger.ParseCosigner(witness.String())
	if err != nil {
		t.Fatal(err)
	}
	got, n, err := ledger.OpenCheckpoint(both, testOrigin, note.VerifierList(parsed))
	if err != nil || got != c || len(n.Sigs) != 1 {
		t.Fatalf("witness: %+v, %v", got, err)
	}
	if seen, err := witness.Time(n.Sigs[0]); err != nil || !seen.Equal(at) {
		t.Errorf("time = %v, %v", seen, err)
	}
	edited := bytes.Replace(both, []byte("\n12\n"), []byte("\n13\n"), 1)
	if _, _, err := ledger.OpenCheckpoint(edited, testOrigin, note.VerifierList(parsed)); err == nil {
		t.Error("an edited text still carries the witness's signature")
	}
	folder := buildLog(t, logSpec{records: 12})
	folder[ledger.CheckpointFile].Data, err = ledger.Cosign(folder[ledger.CheckpointFile].Data, witness, key, at)
	if err != nil {
		t.Fatal(err)
	}
	if r := verify(t, folder, ledger.VerifyOptions{Cosigners: note.VerifierList(parsed)}); !r.OK() || len(r.Cosigners) != 1 || r.Cosigners[0] != "witness.test" {
		t.Errorf("cosigners %v, damages %v", r.Cosigners, r.Damages)
	}
}

func TestParseCosignerRefuses(t *testing.T) {
	witness, _ := witnessKey(t, "witness.test")
	good := witness.String()
	_, recorder, _ := strings.Cut(good, "+")
	for _, bad := range []string{"", "witness.test", "a b+" + recorder, "other+" + recorder, good + "x", good[:len(good)-8]} {
		if _, err := ledger.ParseCosigner(bad); !errors.Is(err, ledger.ErrCosigner) {
			t.Errorf("ParseCosigner(%q) = %v, want ErrCosigner", bad, err)
		}
	}
}
