package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
)

// rollout makes the payload of rollout i; it differs from record to record so that nothing is hashed twice by chance.
func stamp(payload []byte, i int) []byte {
	binary.LittleEndian.PutUint64(payload, uint64(i))
	return payload
}

// BenchmarkRaw is the ceiling: write and fdatasync 64 records at a time, no hash, no frame.
func BenchmarkRaw(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			d, err := disk.OpenDir(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			f, err := d.Create("raw")
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			buf := make([]byte, 64*size)
			at := int64(0)
			b.SetBytes(int64(size))
			b.ResetTimer()
			for i := 0; i < b.N; i += 64 {
				stamp(buf, i)
				if _, err := f.WriteAt(buf, at); err != nil {
					b.Fatal(err)
				}
				if err := f.Sync(); err != nil {
					b.Fatal(err)
				}
				if at += int64(len(buf)); at > 1<<30 {
					at = 0
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkRounds is the pump's shape: rounds of 256 rollouts in frames of 16, then a VERDICT for each and a REWARD for
// each group of 8, and nothing more before all of them are durable. An operation is one rollout.
func BenchmarkRounds(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			l := benchLog(b)
			const round, frame, group = 256, 16, 8
			payloads := make([][]byte, frame)
			for i := range payloads {
				payloads[i] = make([]byte, size)
			}
			verdict, reward := make([]byte, 150), make([]byte, 8*60)
			recs := make([]Record, 0, round*2)
			seq := uint64(0)
			next := func(t ledger.RecordType, payload []byte) {
				recs = append(recs, Record{Seq: seq, Type: t, Payload: payload, Volatile: payload[:16]})
				seq++
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += round {
				for j := 0; j < round; j += frame {
					recs = recs[:0]
					for k := range frame {
						next(ledger.Rollout, stamp(payloads[k], i+j+k))
					}
					appendAll(b, l, recs)
				}
				recs = recs[:0]
				for range round {
					next(ledger.Verdict, verdict)
				}
				for range round / group {
					next(ledger.Reward, reward)
				}
				appendAll(b, l, recs)
				if err := l.Wait(context.Background(), seq); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rollouts/s")
		})
	}
}

// BenchmarkAppend is a writer that never waits for an answer.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			l := benchLog(b)
			recs := make([]Record, 16)
			for i := range recs {
				recs[i] = Record{Type: ledger.Rollout, Payload: make([]byte, size)}
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += len(recs) {
				for j := range recs {
					recs[j].Seq = uint64(i + j)
					stamp(recs[j].Payload, i+j)
				}
				appendAll(b, l, recs)
			}
			if err := l.Sync(context.Background()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkSHA256 is the other ceiling: one hash of each payload.
func BenchmarkSHA256(b *testing.B) {
	payload := make([]byte, 16<<10)
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		sha256.Sum256(payload)
	}
}

func BenchmarkVerify(b *testing.B) {
	l := benchLog(b)
	const n = 50_000
	recs := make([]Record, 100)
	for i := 0; i < n; i += len(recs) {
		for j := range recs {
			recs[j] = Record{Seq: uint64(i + j), Type: ledger.Rollout, Payload: stamp(make([]byte, 1024), i+j)}
		}
		appendAll(b, l, recs)
	}
	_, keys := testKeys(b)
	b.ResetTimer()
	for range b.N {
		report, err := l.Verify(context.Background(), keys)
		if err != nil || !report.OK() {
			b.Fatalf("%v %v", err, report)
		}
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "records/s")
}

func benchLog(b *testing.B) *Log {
	b.Helper()
	d, err := disk.OpenDir(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	signer, _ := testKeys(b)
	s, err := Open(Config{Reserve: -1}, Deps{Disk: d, Signer: signer})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	run, err := s.Run(context.Background(), "acme", "bench", true)
	if err != nil {
		b.Fatal(err)
	}
	return run.Log(ledger.Events)
}

func appendAll(b *testing.B, l *Log, recs []Record) {
	b.Helper()
	if err := l.Append(context.Background(), 0, recs); err != nil {
		b.Fatal(err)
	}
}
