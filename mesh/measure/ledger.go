package measure

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/provenir/provenir/services/recorder/ledgerbench"
)

// Ledger measures a log of so many records of a size: its making, a start on it, its index, its proofs, its verification.
func Ledger(ctx context.Context, dir string, records, size int) (rows []Row, times []Latency, err error) {
	f, err := ledgerbench.Run(ctx, dir, ledgerbench.Config{Records: records, Size: size}, cpu)
	if err != nil {
		return nil, nil, err
	}
	name := fmt.Sprintf("%d records of %d B", records, size)
	core := math.Max(f.VerifyCPU.Seconds(), 1e-9)
	n := len(f.Proofs)
	return []Row{
			{What: "append, " + name, Unit: "records/s", Ours: perSecond(records, f.Built), Trials: 1},
			{What: "verify", Unit: "records/s", Ours: perSecond(records, f.Verify), CPU: float64(f.VerifyCPU.Microseconds()) / float64(records), Trials: 1},
			{What: "verify, a core", Unit: "MB/s", Ours: float64(f.Size) / 1e6 / core, Trials: 1},
		}, []Latency{
			once("recovery, "+name, f.Recovery), once("index of all segments made anew", f.Reindex),
			{What: "inclusion proof", N: n, P50: f.Proofs[n/2], P99: f.Proofs[n*99/100], Max: f.Proofs[n-1]},
		}, nil
}

func once(what string, took time.Duration) Latency {
	return Latency{What: what, N: 1, P50: took, P99: took, Max: took}
}
