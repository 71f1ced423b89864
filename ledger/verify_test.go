package ledger_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"github.com/provenir/provenir/ledger"
)

func verify(t testing.TB, folder fstest.MapFS, opt ledger.VerifyOptions) *ledger.Report {
	t.Helper()
	if opt.Keys == nil {
		_, opt.Keys = testKey(t, "recorder.test")
	}
	report, err := ledger.Verify(context.Background(), folder, opt)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestVerifyWhole(t *testing.T) {
	tests := []struct {
		name string
		spec logSpec
	}{
		{"one record", logSpec{records: 1}},
		{"one segment", logSpec{records: 57}},
		{"several segments", logSpec{records: 700, perSegment: 90, every: 64}},
		{"roll at a checkpoint", logSpec{records: 300, perSegment: 100, every: 100}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := verify(t, buildLog(t, tt.spec), ledger.VerifyOptions{Origin: testOrigin})
			if !r.OK() || r.Signature != ledger.SignatureVerified {
				t.Fatalf("signature %s, damages %v", r.Signature, r.Damages)
			}
			if r.Records != uint64(tt.spec.records) || r.Covered != r.Records || r.TilesMissing != 0 {
				t.Errorf("records %d, covered %d, tiles missing %d; want %d, all, 0", r.Records, r.Covered, r.TilesMissing, tt.spec.records)
			}
		})
	}
}

// fixCRC repairs a frame's checksum, as an attacker would.
func fixCRC(frame []byte) {
	binary.LittleEndian.PutUint32(frame[4:], crc32.Checksum(frame[8:], crc32.MakeTable(crc32.Castagnoli)))
}

// edit changes the bytes of one file.
func edit(folder fstest.MapFS, name string, change func([]byte) []byte) {
	folder[name] = &fstest.MapFile{Data: change(bytes.Clone(folder[name].Data))}
}

func TestVerifyNamesTheAttack(t *testing.T) {
	spec := logSpec{records: 60, perSegment: 20}
	first, second, third := ledger.SegmentName(0), ledger.SegmentName(1), ledger.SegmentName(2)
	tests := []struct {
		name     string
		attack   func(t *testing.T, folder fstest.MapFS)
		kind     ledger.DamageKind
		segment  int
		firstSeq uint64
	}{
		{"flipped bit in a payload", func(t *testing.T, f fstest.MapFS) {
			edit(f, second, func(b []byte) []byte {
				at, _ := frameOf(t, b, 27)
				b[at+ledger.FrameHeaderSize+3] ^= 1
				return b
			})
		}, ledger.FlippedBits, 1, 27},
		{"flipped bit in a length", func(t *testing.T, f fstest.MapFS) {
			edit(f, second, func(b []byte) []byte {
				at, _ := frameOf(t, b, 27)
				b[at+1] ^= 0x10
				return b
			})
		}, ledger.FlippedBits, 1, 27},
		{"flipped bit in the last record", func(t *testing.T, f fstest.MapFS) {
			edit(f, third, func(b []byte) []byte {
				at, _ := frameOf(t, b, 59)
				b[at+ledger.FrameHeaderSize] ^= 0x80
				return b
			})
		}, ledger.FlippedBits, 2, 59},
		{"payload edited and checksum repaired", func(t *testing.T, f fstest.MapFS) {
			edit(f, first, func(b []byte) []byte {
				at, end := frameOf(t, b, 3)
				b[at+ledger.FrameHeaderSize] ^= 1
				fixCRC(b[at:end])
				return b
			})
		}, ledger.AlteredPayload, 0, 3},
		{"record replaced with checksum and digest", func(t *testing.T, f fstest.MapFS) {
			edit(f, first, func(b []byte) []byte {
				at, end := frameOf(t, b, 3)
				old, _, err := ledger.DecodeFrame(b[at:end])
				if err != nil {
					t.Fatal(err)
				}
				payload := bytes.Repeat([]byte{'!'}, len(old.Stored))
				forged := ledger.Frame{Entry: ledger.NewEntry(3, old.Type, payload), Prev: old.Prev, Stored: payload}
				return slices.Replace(b, at, end, ledger.AppendFrame(nil, &forged)...)
			})
		}, ledger.ReplacedRecord, 0, 3},
		{"dropped record", func(t *testing.T, f fstest.MapFS) {
			edit(f, second, func(b []byte) []byte {
				at, end := frameOf(t, b, 31)
				return slices.Delete(b, at, end)
			})
		}, ledger.DroppedRecords, 1, 31},
		{"dropped last record of a segment", func(t *testing.T, f fstest.MapFS) {
			edit(f, second, func(b []byte) []byte {
				at, end := frameOf(t, b, 39)
				return slices.Delete(b, at, end)
			})
		}, ledger.TrailerMismatch, 1, 20},
		{"swapped records", func(t *testing.T, f fstest.MapFS) {
			edit(f, second, func(b []byte) []byte {
				at, mid := frameOf(t, b, 24)
				_, end := frameOf(t, b, 25)
				swapped := append(bytes.Clone(b[mid:end]), b[at:mid]...)
				return slices.Replace(b, at, end, swapped...)
			})
		}, ledger.ReorderedRecords, 1, 24},
		{"record moved far", func(t *testing.T, f fstest.MapFS) {
			edit(f, second, func(b []byte) []byte {
				at, end := frameOf(t, b, 22)
				moved := bytes.Clone(b[at:end])
				to, _ := frameOf(t, b, 35)
				return slices.Delete(slices.Insert(b, to, moved...), at, end)
			})
		}, ledger.ReorderedRecords, 1, 22},
		{"duplicated record", func(t *testing.T, f fstest.MapFS) {
			edit(f, first, func(b []byte) []byte {
				at, end := frameOf(t, b, 9)
				return slices.Insert(b, end, bytes.Clone(b[at:end])...)
			})
		}, ledger.DuplicatedRecord, 0, 9},
		{"bytes between records", func(t *testing.T, f fstest.MapFS) {
			edit(f, first, func(b []byte) []byte {
				at, _ := frameOf(t, b, 9)
				return slices.Insert(b, at, []byte("thirteen byte")...)
			})
		}, ledger.InsertedBytes, 0, 9},
		{"last file cut in a record", func(t *testing.T, f fstest.MapFS) {
			edit(f, third, func(b []byte) []byte {
				at, _ := frameOf(t, b, 58)
				return b[:at+100]
			})
		}, ledger.TruncatedFile, 2, 58},
		{"last file cut between records", func(t *testing.T, f fstest.MapFS) {
			edit(f, third, func(b []byte) []byte {
				at, _ := frameOf(t, b, 55)
				return b[:at]
			})
		}, ledger.TruncatedFile, 2, 55},
		{"middle file cut", func(t *testing.T, f fstest.MapFS) {
			edit(f, second, func(b []byte) []byte {
				at, _ := frameOf(t, b, 30)
				return b[:at]
			})
		}, ledger.TruncatedFile, 1, 30},
		{"missing middle segment", func(t *testing.T, f fstest.MapFS) { delete(f, second) }, ledger.MissingSegment, 1, 20},
		{"missing first segment", func(t *testing.T, f fstest.MapFS) { delete(f, first) }, ledger.MissingSegment, 0, 0},
		{"missing last segment", func(t *testing.T, f fstest.MapFS) { delete(f, third) }, ledger.MissingSegment, 1, 40},
		{"swapped segments", func(t *testing.T, f fstest.MapFS) { f[first], f[second] = f[second], f[first] }, ledger.ForeignSegment, 0, 20},
		{"garbage after a sealed segment", func(t *testing.T, f fstest.MapFS) {
			edit(f, first, func(b []byte) []byte { return append(b, "garbage"...) })
		}, ledger.AppendedGarbage, 0, 20},
		{"garbage after the last record", func(t *testing.T, f fstest.MapFS) {
			edit(f, third, func(b []byte) []byte { return append(b, bytes.Repeat([]byte("garbage!"), 40)...) })
		}, ledger.AppendedGarbage, 2, 60},
		{"damaged header", func(t *testing.T, f fstest.MapFS) {
			edit(f, second, func(b []byte) []byte { b[40] ^= 1; return b })
		}, ledger.DamagedHeader, 1, 20},
		{"edited trailer", func(t *testing.T, f fstest.MapFS) {
			edit(f, first, func(b []byte) []byte {
				_, at := frameOf(t, b, 19)
				b[at+ledger.FrameHeaderSize+60] ^= 1 // the file's digest
				_, n, _ := ledger.DecodeFrame(b[at:])
				fixCRC(b[at : at+n])
				return b
			})
		}, ledger.TrailerMismatch, 0, 0},
		{"edited checkpoint", func(t *testing.T, f fstest.MapFS) {
			edit(f, ledger.CheckpointFile, func(b []byte) []byte { return bytes.Replace(b, []byte("\n60\n"), []byte("\n59\n"), 1) })
		}, ledger.CheckpointEdited, -1, 0},
		{"old checkpoint put back", func(t *testing.T, f fstest.MapFS) {
			edit(f, ledger.CheckpointFile, func([]byte) []byte {
				old, err := ledger.NewHistoryReader(bytes.NewReader(f[ledger.HistoryFile].Data)).Next()
				if err != nil {
					t.Fatal(err)
				}
				return bytes.Clone(old)
			})
		}, ledger.CheckpointOld, -1, 10},
		{"no checkpoint", func(t *testing.T, f fstest.MapFS) { delete(f, ledger.CheckpointFile) }, ledger.CheckpointMissing, -1, 0},
		{"checkpoint of another run", func(t *testing.T, f fstest.MapFS) {
			other := buildLog(t, logSpec{records: 60, perSegment: 20, origin: "provenir.dev/ledger/acme/run-2/events"})
			f[ledger.CheckpointFile] = other[ledger.CheckpointFile]
		}, ledger.WrongOrigin, -1, 0},
		{"history rewritten under an old checkpoint", func(t *testing.T, f fstest.MapFS) {
			forged := buildLog(t, logSpec{records: 60, perSegment: 20, payload: func(i int) []byte { return []byte{byte(i), 'F'} }})
			for _, name := range []string{first, second, third} {
				f[name] = forged[name]
			}
		}, ledger.HistoryRewritten, -1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder := buildLog(t, spec)
			tt.attack(t, folder)
			r := verify(t, folder, ledger.VerifyOptions{Origin: testOrigin})
			if r.OK() {
				t.Fatal("nothing was found")
			}
			i := slices.IndexFunc(r.Damages, func(d ledger.Damage) bool { return d.Kind == tt.kind })
			if i < 0 {
				t.Fatalf("want %s, got %v", tt.kind, r.Damages)
			}
			if d := r.Damages[i]; d.Segment != tt.segment || d.FirstSeq != tt.firstSeq {
				t.Errorf("%s in segment %d from record %d, want segment %d, record %d\n%v", d.Kind, d.Segment, d.FirstSeq, tt.segment, tt.firstSeq, r.Damages)
			}
			if len(r.Damages) > 2 {
				t.Errorf("one attack is named %d times: %v", len(r.Damages), r.Damages)
			}
		})
	}
}

func TestVerifyTiles(t *testing.T) {
	tile := ledger.Tile{Level: 0, Index: 1, Width: ledger.TileWidth}
	at := int(tile.Offset())
	tests := []struct {
		name    string
		edit    func(b []byte) []byte
		damage  bool
		missing int
	}{
		{"a flipped bit", func(b []byte) []byte { b[at+32*5] ^= 1; return b }, true, 0},
		{"a hash made zero beside a flipped bit", func(b []byte) []byte { clear(b[at+32*9 : at+32*10]); b[at+32*5] ^= 1; return b }, true, 0},
		{"a hole that a power cut left", func(b []byte) []byte { clear(b[at+32*128 : at+32*200]); return b }, false, 1},
		{"cut off", func(b []byte) []byte { return b[:at+100] }, false, 1},
		{"empty", func([]byte) []byte { return nil }, false, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder := buildLog(t, logSpec{records: 600, every: 100})
			edit(folder, tile.File(), tt.edit)
			r := verify(t, folder, ledger.VerifyOptions{})
			if r.TilesMissing != tt.missing {
				t.Errorf("%d tiles are missing, want %d", r.TilesMissing, tt.missing)
			}
			if !tt.damage {
				if !r.OK() {
					t.Errorf("a tile that is not stored can be made again, it is no damage: %v", r.Damages)
				}
				return
			}
			if len(r.Damages) != 1 || r.Damages[0].Kind != ledger.TileMismatch || r.Damages[0].FirstSeq != 256+5 || r.Damages[0].Offset != int64(at+32*5) {
				t.Errorf("damages = %v, want one tile_mismatch at record 261", r.Damages)
			}
		})
	}
	folder := buildLog(t, logSpec{records: 600, every: 100})
	delete(folder, tile.File())
	if r := verify(t, folder, ledger.VerifyOptions{}); !r.OK() || r.TilesMissing != 2 {
		t.Errorf("without the file: damages %v, missing %d", r.Damages, r.TilesMissing)
	}
}

// Whoever rewrites a log and holds the key is caught only by somebody who kept an older checkpoint.
func TestVerifyKnownCheckpoint(t *testing.T) {
	honest := buildLog(t, logSpec{records: 30})
	kept := honest[ledger.CheckpointFile].Data
	if r := verify(t, buildLog(t, logSpec{records: 60}), ledger.VerifyOptions{Known: kept}); !r.OK() {
		t.Fatalf("a log that continues the checkpoint: %v", r.Damages)
	}
	rewritten := buildLog(t, logSpec{records: 60, payload: func(i int) []byte { return []byte("other") }})
	if r := verify(t, rewritten, ledger.VerifyOptions{}); !r.OK() {
		t.Fatalf("without the old checkpoint nothing can show: %v", r.Damages)
	}
	if r := verify(t, rewritten, ledger.VerifyOptions{Known: kept}); !r.Has(ledger.HistoryRewritten) {
		t.Errorf("damages = %v, want history_rewritten", r.Damages)
	}
}

func TestVerifyTrust(t *testing.T) {
	folder := buildLog(t, logSpec{records: 12})
	_, others := testKey(t, "somebody.else")
	r, err := ledger.Verify(t.Context(), folder, ledger.VerifyOptions{})
	if err != nil || !r.OK() || r.Signature != ledger.SignatureUnchecked {
		t.Errorf("without a key: %v, %v, signature %s; want ok and unchecked", err, r.Damages, r.Signature)
	}
	if r := verify(t, folder, ledger.VerifyOptions{Keys: others}); r.Signature != ledger.SignatureInvalid || !r.Has(ledger.CheckpointEdited) {
		t.Errorf("with a foreign key: signature %s, %v", r.Signature, r.Damages)
	}
	if _, err := ledger.Verify(t.Context(), fstest.MapFS{}, ledger.VerifyOptions{}); err == nil {
		t.Error("an empty folder must be an error: nothing was checked")
	}
}

func TestVerifyTornTailIsNoDamage(t *testing.T) {
	tests := []struct {
		name string
		tail func(next []byte) []byte
	}{
		{"zeros", func([]byte) []byte { return make([]byte, 4096) }},
		{"part of the next record", func(next []byte) []byte { return next[:len(next)-9] }},
		{"first bytes of a header", func(next []byte) []byte { return next[:5] }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder := buildLog(t, logSpec{records: 20})
			longer := buildLog(t, logSpec{records: 21})[ledger.SegmentName(0)].Data
			next := longer[len(folder[ledger.SegmentName(0)].Data):]
			tail := tt.tail(next)
			edit(folder, ledger.SegmentName(0), func(b []byte) []byte { return append(b, tail...) })
			r := verify(t, folder, ledger.VerifyOptions{})
			if !r.OK() || r.TornTail != int64(len(tail)) || r.Records != 20 {
				t.Errorf("torn tail %d, records %d, damages %v", r.TornTail, r.Records, r.Damages)
			}
		})
	}
}

// Any single flipped bit of any segment is found, and where it hits a record that record is named.
func TestVerifyAnyBit(t *testing.T) {
	folder := buildLog(t, logSpec{records: 40, perSegment: 15})
	_, keys := testKey(t, "recorder.test")
	rapid.Check(t, func(t *rapid.T) {
		name := ledger.SegmentName(uint64(rapid.IntRange(0, 2).Draw(t, "segment")))
		data := folder[name].Data
		at := rapid.IntRange(0, len(data)-1).Draw(t, "byte")
		bit := byte(1) << rapid.IntRange(0, 7).Draw(t, "bit")
		attacked := fstest.MapFS{}
		for k, v := range folder {
			attacked[k] = v
		}
		edit(attacked, name, func(b []byte) []byte { b[at] ^= bit; return b })
		r, err := ledger.Verify(context.Background(), attacked, ledger.VerifyOptions{Keys: keys})
		if err != nil {
			t.Fatal(err)
		}
		if r.OK() {
			t.Fatalf("bit %d of byte %d of %s was flipped unseen", bit, at, name)
		}
		if seq, ok := recordAt(data, at); ok && !slices.ContainsFunc(r.Damages, func(d ledger.Damage) bool {
			return d.FirstSeq <= seq && seq <= d.LastSeq
		}) {
			t.Fatalf("record %d was hit, damages %v", seq, r.Damages)
		}
	})
}

// recordAt is the record whose frame holds the byte.
func recordAt(segment []byte, at int) (uint64, bool) {
	for off := ledger.HeaderSize; off < len(segment); {
		f, n, err := ledger.DecodeFrame(segment[off:])
		if err != nil {
			return 0, false
		}
		if off <= at && at < off+n {
			return f.Seq, !f.IsTrailer()
		}
		off += n
	}
	return 0, false
}
