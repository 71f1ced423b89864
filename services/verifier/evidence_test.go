package verifier

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/gowebpki/jcs"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	notrace "go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/blob"
)

func blobsIn(t testing.TB, dir string) *blob.Store {
	t.Helper()
	s, err := blob.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// pumped judges rollouts by exact_answer and gives their verdicts in order.
func pumped(t *testing.T, c verifierv1.VerifierServiceClient, run string, rollouts ...[]byte) []*corev1.Verdict {
	t.Helper()
	stream, _ := open(t.Context(), t, c, &verifierv1.OpenVerify{Protocol: 1, RunId: run, Spec: specFor(t, "exact_answer", nil)})
	if err := stream.Send(items(rollouts...)); err != nil {
		t.Fatal(err)
	}
	got, _ := collect(t, stream, len(rollouts), 0)
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	out := make([]*corev1.Verdict, len(rollouts))
	for i := range out {
		out[i] = &corev1.Verdict{}
		if err := proto.Unmarshal(got[uint64(i+1)].GetVerdict(), out[i]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestEveryVerdictHasItsEvidence(t *testing.T) {
	blobs := blobsIn(t, t.TempDir())
	c, _ := serve(t, Config{}, Deps{Blobs: blobs})
	list := [][]byte{rollout(t, "right", `\boxed{72}`, "72"), rollout(t, "wrong", "71", "72"), rollout(t, "bad", "1", ""), []byte("no rollout")}
	for i, v := range pumped(t, c, "run", list...) {
		d, err := blob.ParseDigest(v.GetEvidenceDigest())
		if err != nil {
			t.Fatalf("%s: %v", v.GetRolloutId(), err)
		}
		b, err := blobs.Read(t.Context(), d, 1<<20)
		if err != nil {
			t.Fatalf("%s: %v", v.GetRolloutId(), err)
		}
		if canonical, err := jcs.Transform(b); err != nil || !bytes.Equal(canonical, b) {
			t.Errorf("%v: not canonical: %s", err, b)
		}
		var doc struct {
			Extracted, Reason, Status, Verifier string
			Digest                              string `json:"verifier_digest"`
			Input                               struct{ Rollout string }
			Passed                              *bool
		}
		if err := json.Unmarshal(b, &doc); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(list[i])
		if doc.Input.Rollout != hex.EncodeToString(sum[:]) || doc.Digest != hex.EncodeToString(v.GetVerifierDigest()) || doc.Extracted != v.GetExtracted() ||
			doc.Verifier != "exact_answer" || (doc.Status == "scored") != (v.GetScored() != nil) || doc.Passed != nil && *doc.Passed != v.GetScored().GetPassed() {
			t.Errorf("%v has the evidence %s", v, b)
		}
	}
}

// The same bytes on another day, in another process, give the same verdict with the same evidence.
func TestEvidenceRepeats(t *testing.T) {
	var verdicts [2][]*corev1.Verdict
	for i := range verdicts {
		c, _ := serve(t, Config{}, Deps{Blobs: blobsIn(t, t.TempDir())})
		verdicts[i] = pumped(t, c, []string{"one run", "another"}[i], rollout(t, "a", "72", "72"), rollout(t, "b", "71", "72"))
	}
	for i := range verdicts[0] {
		if !proto.Equal(verdicts[0][i], verdicts[1][i]) {
			t.Errorf("%v\n%v", verdicts[0][i], verdicts[1][i])
		}
	}
	if bytes.Equal(verdicts[0][0].GetEvidenceDigest(), verdicts[0][1].GetEvidenceDigest()) {
		t.Error("two answers have one evidence")
	}
}

func TestEvidenceCanBeLeftOut(t *testing.T) {
	dir := t.TempDir()
	for name, make := range map[string]func() (Config, Deps){
		"by the setting":         func() (Config, Deps) { return Config{Evidence: EvidenceNone}, Deps{Blobs: blobsIn(t, dir)} },
		"there is no blob store": func() (Config, Deps) { return Config{}, Deps{} },
	} {
		t.Run(name, func(t *testing.T) {
			cfg, d := make()
			c, _ := serve(t, cfg, d)
			if v := pumped(t, c, "run", rollout(t, "a", "72", "72"))[0]; len(v.GetEvidenceDigest()) != 0 || !v.GetScored().GetPassed() {
				t.Errorf("%v", v)
			}
		})
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "packs", "*")); len(found) != 0 {
		t.Errorf("stored all the same: %q", found)
	}
}

func TestEvidenceIsThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	c, s := serve(t, Config{}, Deps{Blobs: blobsIn(t, dir)})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	v := pumped(t, c, "run", rollout(t, "a", "72", "72"))[0]
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	d, err := blob.ParseDigest(v.GetEvidenceDigest())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blobsIn(t, dir).Read(t.Context(), d, 1<<20); err != nil {
		t.Error(err)
	}
}

// A verdict that names a document which is not there would be worse than none.
func TestNoVerdictWithoutItsEvidence(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "packs"), nil, 0o600); err != nil { // where the folder should be
		t.Fatal(err)
	}
	c, _ := serve(t, Config{}, Deps{Blobs: blobsIn(t, dir)})
	stream, _ := open(t.Context(), t, c, &verifierv1.OpenVerify{Protocol: 1, RunId: "run", Spec: specFor(t, "exact_answer", nil)})
	if err := stream.Send(items(rollout(t, "a", "72", "72"))); err != nil {
		t.Fatal(err)
	}
	if m, err := stream.Recv(); status.Code(err) != codes.Internal {
		t.Errorf("%v, %v", m, err)
	}
	m, err := c.Verify(t.Context(), &verifierv1.VerifyRequest{Spec: specFor(t, "exact_answer", nil),
		Candidate: &verifierv1.Candidate{Response: []byte("1"), RowJson: []byte(`{"reference":"1"}`)}})
	if status.Code(err) != codes.Internal {
		t.Errorf("%v, %v", m, err)
	}
}

// What check_task tries is nobody's answer.
func TestCheckedTasksLeaveNoEvidence(t *testing.T) {
	dir := t.TempDir()
	reg := prometheus.NewRegistry()
	c, _ := serve(t, Config{}, Deps{Blobs: blobsIn(t, dir), Metrics: reg})
	checked(t, c, specFor(t, "exact_answer", nil), `{"reference":"1"}`)
	if found, _ := filepath.Glob(filepath.Join(dir, "packs", "*")); len(found) != 0 {
		t.Errorf("stored: %q", found)
	}
	if n := counted(t, reg); len(n) != 0 {
		t.Errorf("counted: %v", n)
	}
}

func TestVerdictsAreCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	c, _ := serve(t, Config{}, Deps{Metrics: reg})
	pumped(t, c, "run", rollout(t, "a", "72", "72"), rollout(t, "b", "72", "72"), rollout(t, "c", "71", "72"), rollout(t, "d", "1", ""), []byte("no rollout"))
	want := map[string]float64{"exact_answer unscored bad_reference": 1, "exact_answer unscored bad_row": 1, "exact_answer scored different": 1, "exact_answer scored equal": 2}
	if got := counted(t, reg); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// counted gives the counters of verdicts by verifier, status and reason.
func counted(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "provenir_verdicts_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			out[labels["verifier"]+" "+labels["status"]+" "+labels["reason"]] = m.GetCounter().GetValue()
		}
	}
	return out
}

// tracer notes spans as a provider would get them.
type tracer struct {
	notrace.Tracer
	mu    sync.Mutex
	spans []map[string]string
}

func (t *tracer) Start(ctx context.Context, name string, _ ...trace.SpanStartOption) (context.Context, trace.Span) {
	return ctx, &recorded{t: t, has: map[string]string{"name": name}}
}

type recorded struct {
	notrace.Span
	t   *tracer
	has map[string]string
}

func (r *recorded) IsRecording() bool { return true }

func (r *recorded) SetAttributes(kv ...attribute.KeyValue) {
	for _, a := range kv {
		r.has[string(a.Key)] = a.Value.Emit()
	}
}

func (r *recorded) End(...trace.SpanEndOption) {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	r.t.spans = append(r.t.spans, r.has)
}

func TestAJudgementIsASpan(t *testing.T) {
	tr := &tracer{}
	c, _ := serve(t, Config{}, Deps{Tracer: tr})
	pumped(t, c, "run", rollout(t, "a", "72", "72"))
	if _, err := c.Verify(t.Context(), &verifierv1.VerifyRequest{Spec: specFor(t, "exact_answer", nil), Candidate: &verifierv1.Candidate{RolloutId: "b"}}); err != nil {
		t.Fatal(err)
	}
	want := []map[string]string{
		{"name": spanName, "rl.verifier": "exact_answer", "rl.rollout.id": "a", "rl.verdict.status": "scored", "rl.verdict.reason": "equal", "rl.reward": "1", "rl.passed": "true"},
		{"name": spanName, "rl.verifier": "exact_answer", "rl.rollout.id": "b", "rl.verdict.status": "unscored", "rl.verdict.reason": "bad_reference"},
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if !slices.EqualFunc(tr.spans, want, maps.Equal) {
		t.Errorf("%v, want %v", tr.spans, want)
	}
}
