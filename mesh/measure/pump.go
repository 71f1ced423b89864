package measure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/orchestrator/pump"
)

// PumpConfig is one setting of the pump bench.
type PumpConfig struct {
	Size, Round, Rollouts, Trials int
	each                          func(done int) // after each round; nil is not called
}

// Pump measures trainer → orchestrator → recorder and a no-op verifier → reward after the disk, over gRPC in memory, with
// the real recorder, chain of interceptors and pump.
func Pump(ctx context.Context, dir string, cfg PumpConfig) (Row, error) {
	row := Row{What: fmt.Sprintf("pump, %d B, rounds of %d", cfg.Size, cfg.Round), Unit: "rollouts/s", Of: "append + fdatasync(64)", Trials: cfg.Trials}
	var ours, ceiling, used []float64
	for range cfg.Trials {
		c, err := appendSync(ctx, dir, cfg.Size, min(cfg.Rollouts, 512<<20/cfg.Size))
		if err != nil {
			return row, err
		}
		before := cpu()
		o, err := pumpOnce(ctx, filepath.Join(dir, fmt.Sprint(time.Now().UnixNano())), cfg)
		if err != nil {
			return row, err
		}
		ours, ceiling = append(ours, o), append(ceiling, c)
		used = append(used, float64((cpu()-before).Microseconds())/float64(cfg.Rollouts))
	}
	row.Ours, row.Ceiling, row.CPU = median(ours), median(ceiling), median(used)
	return row, nil
}

func pumpOnce(ctx context.Context, dir string, cfg PumpConfig) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rec, closeAll, err := openRecorder(ctx, dir, nil)
	if err != nil {
		return 0, err
	}
	conn, stop, err := serve(ctx, func(s grpc.ServiceRegistrar) {
		rec.Register(s)
		verifierv1.RegisterVerifierServiceServer(s, noopVerifier{})
		trainerv1.RegisterTrainerServiceServer(s, syntheticTrainer{cfg: cfg})
	})
	if err != nil {
		return 0, errors.Join(err, closeAll())
	}
	rate, err := drive(ctx, conn, cfg)
	return rate, errors.Join(err, stop(), closeAll())
}

func serve(ctx context.Context, register func(grpc.ServiceRegistrar)) (*grpc.ClientConn, func() error, error) {
	tokens := identity.NewTokens("pvr_bench_token_0123456789")
	s, err := rpc.NewServer(rpc.ServerConfig{Log: slog.New(slog.DiscardHandler), Tokens: tokens, Metrics: prometheus.NewRegistry()})
	if err != nil {
		return nil, nil, err
	}
	register(s)
	if err := s.Seal(); err != nil {
		return nil, nil, err
	}
	l := rpc.Listener()
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- s.ServeUntil(ctx, l, time.Second) }()
	conn, err := rpc.Dial(rpc.DialConfig{Token: tokens.Service(), Memory: l})
	return conn, func() error {
		err := conn.Close()
		cancel()
		return errors.Join(err, <-done)
	}, err
}

// drive is the orchestrator's part: what loop does between two steps.
func drive(ctx context.Context, conn *grpc.ClientConn, cfg PumpConfig) (float64, error) {
	uid, err := idgen.Generator{}.New()
	if err != nil {
		return 0, err
	}
	bell := pump.NewBell()
	ledger, err := pump.OpenLedger(ctx, recorderv1.NewRecorderServiceClient(conn), uid, 1, nil, bell)
	if err != nil {
		return 0, err
	}
	defer ledger.Close()
	judge, err := pump.OpenJudge(ctx, verifierv1.NewVerifierServiceClient(conn), pump.JudgeSpec{Run: uid, Spec: &verifierv1.Spec{Name: "noop"}}, bell)
	if err != nil {
		return 0, err
	}
	defer judge.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := trainerv1.NewTrainerServiceClient(conn).Train(ctx)
	if err != nil {
		return 0, err
	}
	start := &trainerv1.TrainRequest{Seq: 1, Epoch: 1, Body: &trainerv1.TrainRequest_Start{Start: &trainerv1.Start{RunId: uid}}}
	if err := stream.Send(start); err != nil {
		return 0, err
	}
	p := &pump.Pump{Ledger: ledger, Judge: judge, Payer: payer{stream}, Bell: bell, Clock: clock.System{}, Timeout: time.Minute}
	frames := make(chan *trainerv1.RolloutBatch, 64)
	failed := make(chan error, 1)
	go receive(stream, frames, failed)
	begin := time.Now()
	for b := range frames {
		if err := p.Add(ctx, b.GetRollouts()); err != nil {
			return 0, err
		}
		if b.GetLastOfRound() {
			if err := p.Finish(ctx, b.GetStep(), b.GetRound()); err != nil {
				return 0, err
			}
			if cfg.each != nil {
				cfg.each(int(p.Rollouts))
			}
		}
	}
	took := time.Since(begin)
	if err := <-failed; err != nil {
		return 0, err
	}
	if p.Rollouts != uint64(cfg.Rollouts) {
		return 0, fmt.Errorf("%d rollouts were paid, %d were sent", p.Rollouts, cfg.Rollouts)
	}
	return perSecond(cfg.Rollouts, took), nil
}

func receive(stream trainerv1.TrainerService_TrainClient, to chan<- *trainerv1.RolloutBatch, failed chan<- error) {
	defer close(to)
	for {
		m, err := stream.Recv()
		if err == io.EOF {
			failed <- nil
			return
		}
		if err != nil {
			failed <- err
			return
		}
		if r := m.GetRollouts(); r != nil {
			to <- r
		}
	}
}

type payer struct {
	stream trainerv1.TrainerService_TrainClient
}

func (p payer) Pay(_ context.Context, v *trainerv1.VerdictBatch) error {
	return p.stream.Send(&trainerv1.TrainRequest{Epoch: 1, Body: &trainerv1.TrainRequest_Verdicts{Verdicts: v}})
}

func (p payer) Credit(uint64) error { return nil }
