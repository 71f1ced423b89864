package pump

import (
	"context"
	"testing"

	"google.golang.org/grpc"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/credit"
)

// till counts what is paid and what may be sent.
type till struct {
	credit uint64
	paid   int
}

func (p *till) Pay(context.Context, *trainerv1.VerdictBatch) error { p.paid++; return nil }
func (p *till) Credit(n uint64) error                              { p.credit += n; return nil }

// log takes records and says nothing.
type log struct {
	grpc.ClientStream
	records int
}

func (l *log) Send(r *recorderv1.AppendRequest) error {
	l.records += len(r.GetRecords().GetRecords())
	return nil
}

func (l *log) Recv() (*recorderv1.AppendResponse, error) { return nil, context.Canceled }

// A round may be larger than the trainer's window, so its credit comes back frame by frame: before the round is closed
// and long before anything is paid.
func TestCreditComesBackBeforeTheRoundEnds(t *testing.T) {
	payer, records := &till{}, &log{}
	l := &Ledger{stream: records, window: credit.NewWindow(), recorded: 1000}
	l.window.Grant(1 << 20)
	p := &Pump{Ledger: l, Payer: payer}
	for i := range 10 {
		frames := []*trainerv1.RolloutFrame{{RolloutId: "a", Body: make([]byte, 100)}, {RolloutId: "b", Body: make([]byte, 30)}}
		if err := p.Add(t.Context(), frames); err != nil {
			t.Fatal(err)
		}
		if want := uint64(i+1) * 130; payer.credit != want || payer.paid != 0 || records.records != 2*(i+1) {
			t.Fatalf("after %d frames %d bytes of credit, want %d; %d records, %d paid", i+1, payer.credit, want, records.records, payer.paid)
		}
	}
}
