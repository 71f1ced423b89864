package verifier

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// noop is the cheapest verdict.
type noop struct{}

func (noop) Judge(*verdict.Candidate) verdict.Verdict { return verdict.Pass("noop", "equal") }

// benchmarkPump sends rollouts of about 1 KiB in frames of 16, as the orchestrator does, over an in-memory connection with
// the real chain, and counts verdicts.
func benchmarkPump(b *testing.B, m *verifierv1.Spec, judge verdict.Judge, evidence Evidence) {
	blobs, err := blob.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	c, s := serve(b, Config{Evidence: evidence}, Deps{Blobs: blobs, Metrics: prometheus.NewRegistry()})
	if judge != nil {
		install(b, s, m, judge)
	}
	const frames, each = 64, 16
	var requests []*verifierv1.VerifyRolloutsRequest
	for f := range frames {
		var list [][]byte
		for i := range each {
			list = append(list, rollout(b, fmt.Sprintf("r%d-%d", f, i), "7+5=12, 4+2+1=7 #### 72", "72"))
		}
		requests = append(requests, items(list...))
	}
	b.SetBytes(int64(len(requests[0].GetItems().GetItems()[0].GetRollout())))
	done := 0
	b.ResetTimer()
	for round := 0; done < b.N; round++ {
		stream, _ := open(b.Context(), b, c, &verifierv1.OpenVerify{Protocol: 1, RunId: fmt.Sprintf("run-%d", round), Spec: m})
		credit, free := make(chan int, 1024), 256
		go func() {
			for _, r := range requests {
				for free < each {
					free += <-credit
				}
				free -= each
				if stream.Send(r) != nil {
					return
				}
			}
			_ = stream.CloseSend()
		}()
		for n := 0; n < frames*each; {
			got, err := stream.Recv()
			if err != nil {
				b.Fatal(err)
			}
			n += len(got.GetVerdicts().GetItems())
			if k := got.GetCredit().GetItems(); k > 0 {
				credit <- int(k)
			}
		}
		done += frames * each
	}
	b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "verdicts/s")
	b.ReportMetric(float64(runtime.GOMAXPROCS(0)), "cores")
}

func BenchmarkPumpNoop(b *testing.B) {
	benchmarkPump(b, &verifierv1.Spec{Name: "noop"}, noop{}, EvidenceStored)
}

// BenchmarkPumpNoEvidence is what evidence costs, by difference.
func BenchmarkPumpNoEvidence(b *testing.B) {
	benchmarkPump(b, &verifierv1.Spec{Name: "noop"}, noop{}, EvidenceNone)
}

func BenchmarkPumpMath(b *testing.B) {
	benchmarkPump(b, &verifierv1.Spec{Name: "math:profile=final_answer,form=number"}, nil, EvidenceStored)
}

func BenchmarkPumpExact(b *testing.B) {
	benchmarkPump(b, &verifierv1.Spec{Name: "exact_answer"}, nil, EvidenceStored)
}
