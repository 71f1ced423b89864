package ledger_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/provenir/provenir/ledger"
)

var retiredAt = time.Date(2028, 1, 2, 3, 4, 5, 0, time.UTC)

// retiredRun is a run of 30 records in three segments, of which the first two have lost their payloads by a rule that
// findings tells of.
func retiredRun(t testing.TB) fstest.MapFS {
	t.Helper()
	run, note := fstest.MapFS{}, ledger.RetentionNote{Log: "events", Rule: "two years", By: "owner", At: retiredAt}
	for name, f := range buildLog(t, logSpec{records: 30, perSegment: 10}) {
		run["events/"+name] = f
	}
	for n := range uint64(2) {
		is := retire(t, run, n)
		note.Segments = append(note.Segments, ledger.RetentionSegment{Segment: n, FirstSeq: is.Trailer.FirstSeq, LastSeq: is.Trailer.LastSeq, SHA256: is.Trailer.File})
	}
	declare(t, run, note)
	return run
}

// retire takes the payloads of a segment away.
func retire(t testing.TB, run fstest.MapFS, n uint64) ledger.Sealed {
	t.Helper()
	segment := run["events/"+ledger.SegmentName(n)].Data
	var out bytes.Buffer
	is, err := ledger.RetireSegment(t.Context(), bytes.NewReader(segment), int64(len(segment)), &out)
	if err != nil {
		t.Fatal(err)
	}
	delete(run, "events/"+ledger.SegmentName(n))
	run["events/"+ledger.RetiredName(n)] = &fstest.MapFile{Data: out.Bytes()}
	return is
}

// declare writes a findings log that holds one note.
func declare(t testing.TB, run fstest.MapFS, note ledger.RetentionNote) {
	t.Helper()
	payload, err := note.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	log := buildLog(t, logSpec{records: 1, origin: "provenir.dev/ledger/acme/run-1/findings", log: ledger.Findings, typ: ledger.Retention,
		payload: func(int) []byte { return payload }})
	for name, f := range log {
		run["findings/"+name] = f
	}
}

// What retention left is verified to the last hash, and the report says by whose rule the rest is gone. A payload that is
// missing without such a record is damage, however well the files fit each other.
func TestVerifyRetired(t *testing.T) {
	_, keys := testKey(t, "recorder.test")
	retired := "events/" + ledger.RetiredName(0)
	drop := func(run fstest.MapFS, prefix string) {
		for name := range run {
			if strings.HasPrefix(name, prefix) {
				delete(run, name)
			}
		}
	}
	tests := []struct {
		name   string
		attack func(t *testing.T, run fstest.MapFS)
		kind   ledger.DamageKind // empty for none
		at     uint64            // first record of the first damage of that kind
	}{
		{"declared", func(*testing.T, fstest.MapFS) {}, "", 0},
		{"the next pass has not deleted the file yet", func(t *testing.T, run fstest.MapFS) {
			whole := buildLog(t, logSpec{records: 30, perSegment: 10})
			run["events/"+ledger.SegmentName(0)] = whole[ledger.SegmentName(0)]
		}, "", 0},
		{"findings is gone", func(_ *testing.T, run fstest.MapFS) { drop(run, "findings/") }, ledger.PayloadMissing, 0},
		{"another segment was declared", func(t *testing.T, run fstest.MapFS) {
			drop(run, "findings/")
			declare(t, run, ledger.RetentionNote{Log: "events", Rule: "r", By: "b", At: retiredAt, Segments: []ledger.RetentionSegment{{Segment: 0, FirstSeq: 0, LastSeq: 9}}})
		}, ledger.PayloadMissing, 0},
		{"another log was declared", func(t *testing.T, run fstest.MapFS) {
			is := retire(t, asEvents(buildLog(t, logSpec{records: 30, perSegment: 10})), 0)
			drop(run, "findings/")
			declare(t, run, ledger.RetentionNote{Log: "timing", Rule: "r", By: "b", At: retiredAt,
				Segments: []ledger.RetentionSegment{{Segment: 0, FirstSeq: 0, LastSeq: 9, SHA256: is.Trailer.File}}})
		}, ledger.PayloadMissing, 0},
		{"one more went", func(t *testing.T, run fstest.MapFS) {
			whole := buildLog(t, logSpec{records: 40, perSegment: 10})
			for name, f := range whole {
				if name != ledger.SegmentName(0) && name != ledger.SegmentName(1) {
					run["events/"+name] = f
				}
			}
			retire(t, run, 2)
		}, ledger.PayloadMissing, 20},
		{"no checkpoint covers the note", func(_ *testing.T, run fstest.MapFS) {
			delete(run, "findings/"+ledger.CheckpointFile)
			delete(run, "findings/"+ledger.HistoryFile)
		}, ledger.PayloadMissing, 0},
		{"an entry was changed", func(_ *testing.T, run fstest.MapFS) {
			b := run[retired].Data
			start, _ := 0, 0
			for at := ledger.HeaderSize; at < len(b); {
				f, n, err := ledger.DecodeFrame(b[at:])
				if err != nil || f.Seq == 4 {
					start = at
					break
				}
				at += n
			}
			f, n, _ := ledger.DecodeFrame(b[start:])
			f.Digest[0] ^= 1
			copy(b[start:start+n], ledger.AppendFrame(nil, &f))
		}, ledger.ReplacedRecord, 4},
		{"a bit of an entry flipped", func(_ *testing.T, run fstest.MapFS) { run[retired].Data[ledger.HeaderSize+30] ^= 4 }, ledger.FlippedBits, 0},
		{"the end is missing", func(_ *testing.T, run fstest.MapFS) {
			b := run["events/"+ledger.RetiredName(1)].Data
			run["events/"+ledger.RetiredName(1)].Data = b[:len(b)-40]
		}, ledger.PayloadMissing, 10},
		{"renamed to a segment with payloads", func(_ *testing.T, run fstest.MapFS) {
			run["events/"+ledger.SegmentName(0)] = run[retired]
			delete(run, retired)
		}, ledger.PayloadMissing, 0},
		{"swapped", func(_ *testing.T, run fstest.MapFS) {
			other := "events/" + ledger.RetiredName(1)
			run[retired], run[other] = run[other], run[retired]
		}, ledger.ForeignSegment, 10},
		{"the file is gone", func(_ *testing.T, run fstest.MapFS) { delete(run, retired) }, ledger.MissingSegment, 0},
		{"the live segment was emptied", func(t *testing.T, run fstest.MapFS) {
			b := run["events/"+ledger.SegmentName(2)].Data
			out := append([]byte(nil), b[:ledger.HeaderSize]...)
			for at := ledger.HeaderSize; at < len(b); {
				f, n, err := ledger.DecodeFrame(b[at:])
				if err != nil {
					t.Fatal(err)
				}
				r := f.Retire()
				out = ledger.AppendFrame(out, &r)
				at += n
			}
			delete(run, "events/"+ledger.SegmentName(2))
			run["events/"+ledger.RetiredName(2)] = &fstest.MapFile{Data: out}
		}, ledger.PayloadMissing, 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			run := retiredRun(t)
			tt.attack(t, run)
			reports, err := ledger.VerifyRun(t.Context(), run, ledger.VerifyOptions{Keys: keys})
			if err != nil {
				t.Fatal(err)
			}
			r := reports[0]
			if r.Log != ledger.Events {
				t.Fatalf("the first report is of %s", r.Log)
			}
			if tt.kind == "" {
				if !r.OK() || r.Covered != 30 || r.Records != 30 {
					t.Errorf("covered %d of %d, damages %v", r.Covered, r.Records, r.Damages)
				}
				return
			}
			i := slices.IndexFunc(r.Damages, func(d ledger.Damage) bool { return d.Kind == tt.kind })
			if i < 0 || r.Damages[i].FirstSeq != tt.at {
				t.Errorf("damages %v, want %s at record %d", r.Damages, tt.kind, tt.at)
			}
		})
	}
}

func asEvents(log fstest.MapFS) fstest.MapFS {
	run := fstest.MapFS{}
	for name, f := range log {
		run["events/"+name] = f
	}
	return run
}

func TestRetiredReport(t *testing.T) {
	_, keys := testKey(t, "recorder.test")
	run := retiredRun(t)
	reports, err := ledger.VerifyRun(t.Context(), run, ledger.VerifyOptions{Keys: keys})
	if err != nil || len(reports) != 2 {
		t.Fatalf("%d reports, %v", len(reports), err)
	}
	events, findings := reports[0], reports[1]
	if len(events.Retired) != 2 || len(findings.Retentions) != 1 {
		t.Fatalf("retired %v, told %v", events.Retired, findings.Retentions)
	}
	for i, s := range events.Retired {
		if !s.Declared || s.Rule != "two years" || s.By != "owner" || !s.At.Equal(retiredAt) || s.Segment != uint64(i) || s.LastSeq != uint64(i)*10+9 {
			t.Errorf("segment %d: %+v", i, s)
		}
	}
	whole, err := ledger.Verify(t.Context(), buildLog(t, logSpec{records: 30, perSegment: 10}), ledger.VerifyOptions{Keys: keys})
	if err != nil || whole.Root != events.Root || whole.Chain != events.Chain {
		t.Errorf("root %x, before retention %x, %v", events.Root, whole.Root, err)
	}
	// The folder of events alone says nothing of rules: what is gone is told, and is neither damage nor a pass.
	sub := fstest.MapFS{}
	for name, f := range run {
		if rest, ok := strings.CutPrefix(name, "events/"); ok {
			sub[rest] = f
		}
	}
	alone, err := ledger.Verify(t.Context(), sub, ledger.VerifyOptions{Keys: keys})
	if err != nil || !alone.OK() || len(alone.Retired) != 2 || alone.Retired[0].Declared {
		t.Errorf("alone: %+v, %v", alone, err)
	}
}
