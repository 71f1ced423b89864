package monitor

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/services/recorder/detect"
)

// generated is what the generated decoder reads; ok is false where it refuses.
func generated(payload []byte) (s detect.Sample, ok bool) {
	var rec corev1.StepRecord
	var facts corev1.StepFacts
	if proto.Unmarshal(payload, &rec) != nil || proto.Unmarshal(rec.GetFacts(), &facts) != nil {
		return s, false
	}
	sampleOf(&facts, &s)
	return s, true
}

// alike compares samples; a NaN is a NaN.
func alike(a, b detect.Sample) bool {
	if len(a.Values) != len(b.Values) {
		return false
	}
	slices.SortStableFunc(a.Values, byName)
	slices.SortStableFunc(b.Values, byName)
	for i := range a.Values {
		x, y := a.Values[i], b.Values[i]
		if math.Float64bits(x.X) != math.Float64bits(y.X) && !(math.IsNaN(x.X) && math.IsNaN(y.X)) {
			return false
		}
		x.X, y.X = 0, 0
		if x != y {
			return false
		}
	}
	a.Values, b.Values, a.Shape = nil, nil, nil
	return reflect.DeepEqual(a, b)
}

func record(f *corev1.StepFacts) []byte {
	return marshal(&corev1.StepRecord{Facts: marshal(f), Chain: []byte("chain")})
}

func facts(r *rand.Rand) *corev1.StepFacts {
	f := &corev1.StepFacts{Step: r.Uint64N(1000), Branch: r.Uint32N(3), Stage: r.Uint32N(2), Objective: "grpo", RowsSampled: r.Uint64N(300),
		RowsScored: r.Uint64N(300), GroupsTotal: r.Uint64N(40), GroupsWithSignal: r.Uint64N(40), GroupsZeroStd: r.Uint64N(4), GroupsOneScored: r.Uint64N(3),
		GroupsNoneScored: r.Uint64N(3), TokensPrompt: 7, Hyper: []*corev1.HyperValue{{Name: "lr", Value: .1}}, WeightsDigest: []byte("w")}
	if r.IntN(3) == 0 {
		f.Unscored = []*corev1.Count{{Name: "deadline", Rows: 3}}
	}
	for _, name := range []string{"kl.ref", "reward.mean", "my.own", "eval_reward.mean", "", "raw.x"} {
		m := &corev1.Metric{Canonical: name, RawKey: "raw", Estimator: "k3", Reduction: "token_mean", Unit: "nats"}
		switch r.IntN(5) {
		case 0: // absent
		case 1:
			m.NonFinite = corev1.NonFinite(1 + r.IntN(3))
		case 2:
			m.Value = proto.Float64(math.NaN())
		default:
			m.Value, m.N, m.Scope = proto.Float64(r.Float64()), proto.Uint64(r.Uint64N(9)), []string{"", "train", "eval"}[r.IntN(3)]
		}
		f.Metrics = append(f.Metrics, m)
	}
	return f
}

// The quick decoder reads what the generated one reads.
func TestDecoder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var d decoder
	var known forms
	for range 2000 {
		b := record(facts(r))
		var got detect.Sample
		want, _ := generated(b)
		if !d.sample(b, &got, &known) || !alike(got, want) {
			t.Fatalf("got %+v\nwant %+v", got, want)
		}
	}
}

// fill takes all the room of what runs share, until the test ends.
func fill[V any](t *testing.T, s *shared[V]) {
	t.Helper()
	before := s.now.Load()
	t.Cleanup(func() { s.now.Store(before) })
	full := map[string]V{}
	for i := range maxShared {
		var none V
		full[string(rune(i+0x4e00))+"?"] = none
	}
	s.now.Store(&full)
}

// Where all the room is taken a step is read as well, and a step of too many names keeps the first of them only.
func TestDecoderRemembersSoMuch(t *testing.T) {
	fill(t, &sharedNames)
	fill(t, &sharedTexts)
	var d decoder
	var known forms
	var s detect.Sample
	facts := &corev1.StepFacts{}
	for i := range maxOrder + 10 {
		facts.Metrics = append(facts.Metrics, &corev1.Metric{Canonical: "m" + strconv.Itoa(i), Value: proto.Float64(float64(i)), Scope: "train"})
	}
	for range 2 {
		if !d.sample(record(facts), &s, &known) || len(s.Values) != maxOrder+10 || s.Values[maxOrder+9].Name != "raw.m"+strconv.Itoa(maxOrder+9) || s.Values[7].Scope != "train" {
			t.Fatalf("%d values", len(s.Values))
		}
	}
	if len(d.order) != maxOrder || len(*sharedNames.now.Load()) != maxShared {
		t.Errorf("it remembers %d names, and all together %d", len(d.order), len(*sharedNames.now.Load()))
	}
}

// Runs of all kinds at once remember together, and none sees half a map.
func TestNamesAreShared(t *testing.T) {
	var s shared[int]
	var runs sync.WaitGroup
	for r := range 8 {
		runs.Go(func() {
			for i := range 200 {
				text := strconv.Itoa(i)
				s.put(text, i)
				if v, ok := s.get([]byte(text)); !ok || v != i {
					t.Errorf("run %d: %s is %d", r, text, v)
				}
			}
		})
	}
	runs.Wait()
	if n := len(*s.now.Load()); n != 200 {
		t.Errorf("%d texts, want 200", n)
	}
}

// twin is a step of the same metrics with other numbers.
func twin(b []byte, r *rand.Rand) []byte {
	var rec corev1.StepRecord
	var f corev1.StepFacts
	if proto.Unmarshal(b, &rec) != nil || proto.Unmarshal(rec.GetFacts(), &f) != nil {
		return b
	}
	for _, m := range f.GetMetrics() {
		if m.Value != nil {
			m.Value = proto.Float64(r.NormFloat64())
		}
		if m.N != nil {
			m.N = proto.Uint64(r.Uint64N(1 << 40))
		}
	}
	f.Step++
	return record(&f)
}

// Steps whose metrics lie as before are read as the generated decoder reads them, whatever came between.
func TestDecoderOfStepsAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	quick := 0
	for range 300 {
		var d decoder
		var known forms
		forms := [][]byte{record(facts(r)), record(facts(r)), record(facts(r))}
		for range 40 {
			b := twin(forms[r.IntN(len(forms))], r)
			if r.IntN(9) == 0 { // bytes that nobody sends
				b[r.IntN(len(b))] ^= 1 << r.IntN(8)
			}
			var got detect.Sample
			ok := d.sample(b, &got, &known)
			if got.Shape != nil {
				quick++
			}
			if want, valid := generated(b); ok && valid && !alike(got, want) {
				t.Fatalf("got %+v\nwant %+v", got, want)
			}
		}
	}
	if quick < 300 {
		t.Errorf("only %d steps of 12,000 were read by their shape", quick)
	}
}

// One run with other names in every step takes a bounded part of what all runs remember.
func TestDecoderSharesSoMuch(t *testing.T) {
	used := sharedWires.used.Load()
	before := sharedWires.now.Load()
	t.Cleanup(func() { sharedWires.used.Store(used); sharedWires.now.Store(before) })
	var d decoder
	var known forms
	var s detect.Sample
	for i := range 40_000 {
		f := &corev1.StepFacts{Metrics: []*corev1.Metric{{Canonical: "kl.ref", RawKey: strconv.Itoa(i), Value: proto.Float64(1), Unit: string(make([]byte, 700))}}}
		if !d.sample(record(f), &s, &known) || len(s.Values) != 1 || s.Values[0].Raw != strconv.Itoa(i) {
			t.Fatalf("step %d: %+v", i, s.Values)
		}
		if i > 20_000 && i%1000 != 0 {
			continue
		}
		if n := sharedWires.used.Load(); n > maxWires {
			t.Fatalf("%d bytes are remembered", n)
		}
	}
	if n := len(*sharedWires.now.Load()); n > maxShared {
		t.Errorf("%d forms are remembered", n)
	}
}

func FuzzDecoder(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 8 {
		f.Add(record(facts(r)))
	}
	f.Add([]byte{0x0a, 0xff})
	f.Add(record(&corev1.StepFacts{Metrics: []*corev1.Metric{{Canonical: "x"}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d decoder
		var known forms
		r := rand.New(rand.NewPCG(1, 2))
		for _, b := range [][]byte{b, b, twin(b, r), twin(b, r), b} { // the first is decoded, the others compared
			var got detect.Sample
			if !d.sample(b, &got, &known) {
				return // the generated decoder judges
			}
			if want, ok := generated(b); ok && !alike(got, want) {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
		}
	})
}

func BenchmarkObserveStep(b *testing.B) {
	m, err := New("run", Spec{Method: "grpo"})
	if err != nil {
		b.Fatal(err)
	}
	payload := record(facts(rand.New(rand.NewPCG(1, 2))))
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		m.Observe(i, 5, payload)
	}
}
