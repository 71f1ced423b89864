package pump

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/internal/grpctest"
)

// rig is a pump between a recorder and a verifier that it talks to over gRPC, and a trainer that checks what it is paid.
type rig struct {
	*testing.T
	rec    *recorder
	ver    *verifier
	trader *trader
	clock  *watch
	conn   *grpc.ClientConn
	latest atomic.Pointer[Pump]
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t, rec: newRecorder(), ver: newVerifier(), clock: &watch{Fake: clock.NewFake(time.Unix(1000, 0)), bell: NewBell()}}
	r.trader = &trader{rec: r.rec}
	r.conn = grpctest.Serve(t, func(s grpc.ServiceRegistrar) {
		recorderv1.RegisterRecorderServiceServer(s, r.rec)
		verifierv1.RegisterVerifierServiceServer(s, r.ver)
	})
	return r
}

// watch is a clock that stands still, and rings when somebody sets a timer.
type watch struct {
	*clock.Fake
	bell *Bell
}

func (w *watch) NewTimer(d time.Duration) clock.Timer {
	defer w.bell.ring()
	return w.Fake.NewTimer(d)
}

// await waits until something that rings bell makes cond true.
func (r *rig) await(bell *Bell, what string, cond func() bool) {
	r.Helper()
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	for {
		wait := bell.wait()
		if cond() {
			return
		}
		select {
		case <-wait:
		case <-late.C:
			r.Fatalf("it never came to this: %s", what)
		}
	}
}

// trader is the trainer's end. It looks into the recorder at each payment: write before reward.
type trader struct {
	rec    *recorder
	broken error

	mu     sync.Mutex
	credit uint64
	paid   []*trainerv1.VerdictBatch
	wrong  []string
}

func (p *trader) Pay(_ context.Context, v *trainerv1.VerdictBatch) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rec.mu.Lock()
	defer p.rec.mu.Unlock()
	p.paid = append(p.paid, v)
	for _, b := range v.GetRewards() {
		if !durable(p.rec.log[:p.rec.told], b) {
			p.wrong = append(p.wrong, fmt.Sprintf("step %d, round %d was paid before its record was acknowledged", v.GetStep(), v.GetRound()))
		}
	}
	return p.broken
}

func durable(log []*recorderv1.Record, payload []byte) bool {
	for _, r := range log {
		if r.GetType() == recorderv1.RecordType_RECORD_TYPE_REWARD && bytes.Equal(r.GetPayload(), payload) {
			return true
		}
	}
	return false
}

func (p *trader) Credit(n uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.credit += n
	return p.broken
}

func (p *trader) got() (credit uint64, payments int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.credit, len(p.paid)
}

const timeout = 35 * time.Second

// open opens a pump as the owner of an epoch. Its writing begins at seq.
func (r *rig) open(epoch, seq uint64, second bool, fault *faultline.Line) (*Pump, error) {
	bell := NewBell()
	l, err := OpenLedger(r.Context(), recorderv1.NewRecorderServiceClient(r.conn), "run", epoch, &recorderv1.RecorderSpec{Method: "grpo"}, bell)
	if err != nil {
		return nil, err
	}
	spec := JudgeSpec{Run: "run", Spec: &verifierv1.Spec{Name: "math"}, Deadline: durationpb.New(30 * time.Second)}
	if second {
		spec.Holdout = &verifierv1.Holdout{Spec: &verifierv1.Spec{Name: "strict"}}
	}
	j, err := OpenJudge(r.Context(), verifierv1.NewVerifierServiceClient(r.conn), spec, bell)
	if err != nil {
		l.Close()
		return nil, err
	}
	l.Seek(seq)
	p := &Pump{Ledger: l, Judge: j, Payer: r.trader, Recorded: r.rec.list, Bell: bell, Clock: r.clock, Fault: fault, Timeout: timeout, Second: second}
	r.latest.Store(p)
	return p, nil
}

func (r *rig) pump(second bool) *Pump {
	r.Helper()
	p, err := r.open(1, 0, second, nil)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { shut(p) })
	return p
}

func shut(p *Pump) {
	p.Ledger.Close()
	p.Judge.Close()
}

// row makes a rollout's frame of size bytes.
func frame(id, group string, size int) *trainerv1.RolloutFrame {
	body := append([]byte(id), make([]byte, max(0, size-len(id)))...)
	digest := sha256.Sum256(body)
	return &trainerv1.RolloutFrame{RolloutId: id, GroupId: group, Body: body, Digest: digest[:]}
}

// round makes rows r<step>.<i>, groups of size, the last ones alone.
func round(step, rows, group int) []*trainerv1.RolloutFrame {
	var out []*trainerv1.RolloutFrame
	for i := range rows {
		g := ""
		if group > 0 && i/group < rows/group {
			g = fmt.Sprintf("s%d.g%d", step, i/group)
		}
		out = append(out, frame(fmt.Sprintf("s%d.r%d", step, i), g, 40))
	}
	return out
}

// play sends a round in batches and closes it.
func play(ctx context.Context, p *Pump, frames []*trainerv1.RolloutFrame, step uint64, round uint32, rng *rand.Rand) error {
	for len(frames) > 0 {
		n := len(frames)
		if rng != nil {
			n = 1 + rng.IntN(n)
		}
		if err := p.Add(ctx, frames[:n]); err != nil {
			return err
		}
		frames = frames[n:]
	}
	return p.Finish(ctx, step, round)
}

// want is the log of a round by the rule of the page, made from the rows and nothing else.
func want(t testing.TB, frames []*trainerv1.RolloutFrame, item func(*trainerv1.RolloutFrame) *verifierv1.VerdictItem) []*recorderv1.Record {
	t.Helper()
	var out []*recorderv1.Record
	var rows []Judged
	for _, f := range frames {
		out = append(out, &recorderv1.Record{Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Payload: f.GetBody()})
		rows = append(rows, Judged{ID: f.GetRolloutId(), Group: f.GetGroupId(), Digest: f.GetDigest(), Item: item(f)})
	}
	closing, _, err := Records(rows)
	if err != nil {
		t.Fatal(err)
	}
	return append(out, closing...)
}

func fresh(salt string) func(*trainerv1.RolloutFrame) *verifierv1.VerdictItem {
	return func(f *trainerv1.RolloutFrame) *verifierv1.VerdictItem {
		return verdict(f.GetRolloutId(), salt, f.GetDigest())
	}
}

// same compares types and payloads: what is hashed.
func same(t testing.TB, got, want []*recorderv1.Record) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("record %d, %s, is missing (%d of %d)", i, want[i].GetType(), len(got), len(want))
		case i >= len(want):
			t.Errorf("record %d, %s, is one too many (%d, want %d)", i, got[i].GetType(), len(got), len(want))
		case got[i].GetSeq() != uint64(i):
			t.Errorf("record %d has seq %d", i, got[i].GetSeq())
		case got[i].GetType() != want[i].GetType() || !bytes.Equal(got[i].GetPayload(), want[i].GetPayload()):
			t.Errorf("record %d is %s %.60q, want %s %.60q", i, got[i].GetType(), got[i].GetPayload(), want[i].GetType(), want[i].GetPayload())
		default:
			continue
		}
		return
	}
}

// uses reads what was paid: rollout id to use, from batches as the trainer gets them.
func uses(t testing.TB, paid []*trainerv1.VerdictBatch) map[string]corev1.TrainUse {
	t.Helper()
	out := map[string]corev1.TrainUse{}
	for _, p := range paid {
		for _, payload := range p.GetRewards() {
			var b corev1.RewardBatch
			if err := proto.Unmarshal(payload, &b); err != nil {
				t.Fatal(err)
			}
			for _, x := range b.GetRewards() {
				if _, again := out[x.GetRolloutId()]; again {
					t.Errorf("%s was paid twice", x.GetRolloutId())
				}
				out[x.GetRolloutId()] = x.GetUse()
			}
		}
	}
	return out
}

func (r *rig) honest() {
	r.Helper()
	for _, w := range r.trader.wrong {
		r.Error(w)
	}
}
