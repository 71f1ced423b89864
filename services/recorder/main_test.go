package recorder

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/cursor"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/internal/grpctest"
	"github.com/provenir/provenir/internal/outbox"
	rolestore "github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/recorder/disk"
	"github.com/provenir/provenir/services/recorder/disk/faulty"
	"github.com/provenir/provenir/services/recorder/metric"
	"github.com/provenir/provenir/services/recorder/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a recorder on a folder that outlives it, with a client and a subscriber.
type rig struct {
	t      testing.TB
	root   string
	cfg    Config
	clock  clock.Clock
	disk   *faulty.FS
	fault  *faultline.Line
	stream *stream

	countersigner Countersigner
	auditor       Auditor
	copies        Copies
	blobs         *blob.Store // nil without one

	service *Service
	client  recorderv1.RecorderServiceClient
	stop    func()
}

// stream is the bus: it keeps what it gets and drops ids that it has.
type stream struct {
	mu   sync.Mutex
	got  []outbox.Message
	rang *bell
}

func (s *stream) publish(_ context.Context, m outbox.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.got, func(o outbox.Message) bool { return o.ID == m.ID }) {
		s.got = append(s.got, m)
		s.rang.ring()
	}
	return nil
}

// await waits for n messages.
func (s *stream) await(t testing.TB, n int) []outbox.Message {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		rang := s.rang.wait()
		s.mu.Lock()
		got := slices.Clone(s.got)
		s.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-rang:
		case <-limit:
			t.Fatalf("%d messages, want %d", len(got), n)
		}
	}
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, root: t.TempDir(), clock: clock.System{}, stream: &stream{rang: newBell()}}
	r.cfg.Store = store.Config{Reserve: -1, TimingLinger: time.Millisecond, MinFree: 1}
	return r
}

func (r *rig) start() *rig {
	r.t.Helper()
	signer, vkey, err := LoadKey(filepath.Join(r.root, "keys"), "recorder.test")
	if err != nil {
		r.t.Fatal(err)
	}
	d, err := disk.OpenDir(filepath.Join(r.root, "ledger"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.disk = faulty.New(d)
	r.disk.Set(faulty.Rules{Room: -1, SkipSyncs: true})
	db, err := rolestore.Open(context.Background(), filepath.Join(r.root, "recorder.db"), Migrations())
	if err != nil {
		r.t.Fatal(err)
	}
	var blobs store.Blobs
	var transit Transit
	if r.blobs != nil {
		blobs, transit = r.blobs, r.blobs
	}
	r.service, err = New(r.cfg, Deps{Blobs: blobs, Transit: transit, Disk: r.disk, DB: db, Signer: signer, VKey: vkey, Tokens: cursor.NewSigner([]byte("key")),
		Publish: r.stream.publish, Clock: r.clock, Fault: r.fault, Countersigner: r.countersigner, Auditor: r.auditor, Copies: r.copies})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.service.Run(ctx) }()
	<-r.service.ready
	var once sync.Once
	r.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil && !errors.Is(err, faultline.ErrKilled) {
				r.t.Errorf("run: %v", err)
			}
			if err := db.Close(); err != nil {
				r.t.Errorf("close the database: %v", err)
			}
		})
	}
	r.t.Cleanup(r.stop) // before the server stops: registered later, run earlier
	r.client = recorderv1.NewRecorderServiceClient(grpctest.Serve(r.t, r.service.Register))
	return r
}

// restart stops the recorder and starts it again on the same folder.
func (r *rig) restart() *rig {
	r.stop()
	return r.start()
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// runRecords is a run of steps with 4 rollouts each; kl gives the KL of a step.
func runRecords(t testing.TB, steps int, kl func(step int) float64) []*recorderv1.Record {
	t.Helper()
	recs := []*recorderv1.Record{{Type: recorderv1.RecordType_RECORD_TYPE_RUN_OPEN}}
	add := func(typ recorderv1.RecordType, m proto.Message, volatile string) {
		recs = append(recs, &recorderv1.Record{Type: typ, Payload: marshal(t, m), Volatile: []byte(volatile)})
	}
	for step := range steps {
		var rewards corev1.RewardBatch
		for i := range 4 {
			add(recorderv1.RecordType_RECORD_TYPE_ROLLOUT, &corev1.Rollout{RolloutId: fmt.Sprintf("r%d.%d", step, i), Step: uint64(step),
				Segments: []*corev1.Segment{{Text: []byte(strings.Repeat("x", 100+i))}}}, fmt.Sprintf("took %d", i))
		}
		for i := range 4 {
			id := fmt.Sprintf("r%d.%d", step, i)
			v := &corev1.Verdict{RolloutId: id, Verdict: &corev1.Verdict_Scored{Scored: &corev1.Scored{Reward: 1}}}
			if i == 3 {
				v.Verdict = &corev1.Verdict_Unscored{Unscored: &corev1.Unscored{Reason: corev1.UnscoredReason_UNSCORED_REASON_DEADLINE}}
				v.Findings = []*corev1.Finding{{Kind: "time_dependent"}}
			}
			add(recorderv1.RecordType_RECORD_TYPE_VERDICT, v, "")
			rewards.Rewards = append(rewards.Rewards, &corev1.Reward{RolloutId: id})
		}
		add(recorderv1.RecordType_RECORD_TYPE_REWARD, &rewards, "")
		x, entropy := kl(step), 1.5
		facts := &corev1.StepFacts{Step: uint64(step), Metrics: []*corev1.Metric{
			{Canonical: metric.KLRef, Value: &x, Reduction: "token_mean"}, {Canonical: metric.Entropy, Value: &entropy},
		}}
		add(recorderv1.RecordType_RECORD_TYPE_STEP, &corev1.StepRecord{Facts: marshal(t, facts), Chain: make([]byte, 32)}, fmt.Sprintf("step took %d s", step))
	}
	recs = append(recs, &recorderv1.Record{Type: recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE, Payload: []byte("done")})
	for i := range recs {
		recs[i].Seq = uint64(i)
	}
	return recs
}

func calm(int) float64 { return 0.01 }

// blowup is a KL that leaves its reference at a step.
func blowup(at int) func(int) float64 {
	return func(step int) float64 {
		if step >= at {
			return 3
		}
		return 0.01
	}
}

// write sends records in batches.
func (r *rig) write(run string, epoch uint64, recs []*recorderv1.Record) []*recorderv1.Anomaly {
	r.t.Helper()
	var found []*recorderv1.Anomaly
	for len(recs) > 0 {
		n := min(len(recs), 37)
		resp, err := r.client.AppendBatch(context.Background(), &recorderv1.AppendBatchRequest{Run: run, Epoch: epoch, Log: recorderv1.Log_LOG_EVENTS,
			Records: recs[:n], Spec: &recorderv1.RecorderSpec{Method: "grpo"}})
		if err != nil {
			r.t.Fatal(err)
		}
		if want := recs[n-1].GetSeq(); resp.GetThroughSeq() < want {
			r.t.Fatalf("through %d, want %d", resp.GetThroughSeq(), want)
		}
		found = append(found, resp.GetFindings()...)
		recs = recs[n:]
	}
	return found
}

func digestOf(b []byte) [32]byte { return sha256.Sum256(b) }
