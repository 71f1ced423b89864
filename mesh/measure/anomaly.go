package measure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/bus"
	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/internal/outbox"
)

// Latency is a distribution of times.
type Latency struct {
	What string        `json:"what"`
	N    int           `json:"n"`
	P50  time.Duration `json:"p50_ns"`
	P99  time.Duration `json:"p99_ns"`
	Max  time.Duration `json:"max_ns"`
}

// Anomalies measures from the moment a step that shows a NaN is sent to the moment a NATS subscriber has the message.
func Anomalies(ctx context.Context, dir string, n int) (Latency, error) {
	const token = "pvr_bench_token_0123456789"
	b, err := bus.Open(ctx, bus.Config{Dir: dir, Listen: "127.0.0.1:0", Token: token})
	if err != nil {
		return Latency{}, err
	}
	rec, closeAll, err := openRecorder(ctx, dir, outbox.ToJetStream(b.JetStream()))
	if err != nil {
		return Latency{}, errors.Join(err, b.Close())
	}
	conn, stop, err := serve(ctx, func(s grpc.ServiceRegistrar) { rec.Register(s) })
	if err != nil {
		return Latency{}, errors.Join(err, closeAll(), b.Close())
	}
	took, err := spot(ctx, conn, b.Address(), token, n)
	if err = errors.Join(err, stop(), closeAll(), b.Close()); err != nil {
		return Latency{}, err
	}
	slices.Sort(took)
	return Latency{What: "anomaly: step sent → message at a subscriber", N: n, P50: took[n/2], P99: took[n*99/100], Max: took[n-1]}, nil
}

func spot(ctx context.Context, conn *grpc.ClientConn, addr, token string, n int) ([]time.Duration, error) {
	c, err := nats.Connect("nats://"+addr, nats.Token(token))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	sub, err := c.SubscribeSync("provenir.v1.*.anomaly.critical.>")
	if err != nil {
		return nil, err
	}
	if err := c.Flush(); err != nil {
		return nil, err
	}
	recorder := recorderv1.NewRecorderServiceClient(conn)
	var out []time.Duration
	for range n { // a run each: an incident opens once
		d, err := one(ctx, recorder, sub)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

func one(ctx context.Context, c recorderv1.RecorderServiceClient, sub *nats.Subscription) (time.Duration, error) {
	uid, err := idgen.Generator{}.New()
	if err != nil {
		return 0, err
	}
	var records []*recorderv1.Record
	for s := range uint64(3) {
		payload, err := stepRecord(s, func(f *corev1.StepFacts) {
			if s == 2 {
				f.Metrics[slices.Index(metricNames, "loss.policy")] = &corev1.Metric{Canonical: "loss.policy", NonFinite: corev1.NonFinite_NON_FINITE_NAN, Scope: "train"}
			}
		})
		if err != nil {
			return 0, err
		}
		records = append(records, &recorderv1.Record{Seq: s, Type: recorderv1.RecordType_RECORD_TYPE_STEP, Payload: payload})
	}
	send := func(r []*recorderv1.Record) error {
		_, err := c.AppendBatch(ctx, &recorderv1.AppendBatchRequest{Run: uid, Epoch: 1, Log: recorderv1.Log_LOG_EVENTS, Records: r})
		return err
	}
	if err := send(records[:2]); err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := send(records[2:]); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if _, err := sub.NextMsgWithContext(ctx); err != nil {
		return 0, fmt.Errorf("no anomaly came: %w", err)
	}
	return time.Since(begin), nil
}
