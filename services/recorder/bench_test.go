package recorder

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/services/recorder/disk/faulty"
)

// BenchmarkStream is the pump's shape over gRPC with interceptors and detectors: rounds of 256 rollouts in frames of 16, a
// VERDICT for each, a REWARD for each group of 8, and a STEP, all durable before the next round. An operation is a rollout.
func BenchmarkStream(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			r := newRig(b).start()
			r.disk.Set(faulty.Rules{Room: -1}) // syncs for real
			st := r.open("run-1", 1)
			r.recv(st)
			const round, framed, group = 256, 16, 8
			payloads := make([][]byte, framed)
			for i := range payloads {
				payloads[i] = make([]byte, size)
			}
			verdict, reward := make([]byte, 150), make([]byte, 8*60)
			step := runRecords(b, 1, calm)[10].GetPayload()
			seq := uint64(0)
			var recs []*recorderv1.Record
			put := func(t recorderv1.RecordType, payload []byte) {
				recs = append(recs, &recorderv1.Record{Seq: seq, Type: t, Payload: payload})
				seq++
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += round {
				for j := 0; j < round; j += framed {
					recs = nil
					for k := range framed {
						binary.LittleEndian.PutUint64(payloads[k], uint64(i+j+k))
						put(recorderv1.RecordType_RECORD_TYPE_ROLLOUT, payloads[k])
					}
					r.send(st, frame(recs))
				}
				recs = nil
				for range round {
					put(recorderv1.RecordType_RECORD_TYPE_VERDICT, verdict)
				}
				put(recorderv1.RecordType_RECORD_TYPE_STEP, step)
				for range round / group {
					put(recorderv1.RecordType_RECORD_TYPE_REWARD, reward)
				}
				r.send(st, frame(recs))
				for m := r.recv(st); m.GetThroughSeq() != seq-1; m = r.recv(st) {
					if m.GetReject() != nil {
						b.Fatal(m)
					}
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rollouts/s")
		})
	}
}

// BenchmarkFinding is the time from a step's append to its message at the bus.
func BenchmarkFinding(b *testing.B) {
	r := newRig(b).start()
	r.disk.Set(faulty.Rules{Room: -1})
	recs := runRecords(b, 1, blowup(0))
	var worst time.Duration
	b.ResetTimer()
	for i := range b.N {
		start := time.Now()
		r.write(fmt.Sprintf("run-%d", i), 1, recs)
		r.stream.await(b, i+1)
		worst = max(worst, time.Since(start))
	}
	b.ReportMetric(float64(worst.Microseconds()), "worst-µs")
}
