package builtin

import (
	"flag"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/provenir/provenir/internal/onnx/onnxtest"
)

var (
	demoSeeds = flag.Int("demo", 0, "train the whole demo with this many seeds (two minutes each)")
	demoRow   = flag.String("demo.objective", "grpo", "objective of its second half")
)

func demoEngine(tb testing.TB, seed uint64, threads int) *Engine {
	tb.Helper()
	init := Demo()
	e, err := New(Config{Init: &init, Seed: seed, Device: "cpu", Library: onnxtest.Library(tb), Threads: threads, Spin: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

func maxRSS() float64 {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return float64(r.Maxrss) / 1024
}

// TestDemo is the run of `provenir rl --demo` with the reward in the test.
func TestDemo(t *testing.T) {
	if *demoSeeds == 0 {
		t.Skip("takes minutes: run with -demo 3")
	}
	sum := 0.0
	for seed := uint64(1); seed <= uint64(*demoSeeds); seed++ {
		l := &learner{tb: t, e: demoEngine(t, seed, 2), seed: seed}
		start := time.Now()
		sft := l.sft(DemoSFT())
		mid := time.Now()
		before := l.accuracy()
		stage := DemoRL()
		stage.Objective = *demoRow
		l.rl(stage, nil, func(s int, reward float64, m map[string]float64) {
			if s < 2 || s%30 == 29 {
				t.Logf("step %3d reward %.3f kl %.4f entropy %.3f norm %.3f clip %.4f first %.1e", s, reward, m["kl.ref"],
					m["policy.entropy"], m["optim.grad_norm"], m["clip.region"], m["ratio.first_dev"])
			}
		})
		after := l.accuracy()
		t.Logf("seed %d: SFT %.1f s (nll %.4f), RL %.1f s, held-out greedy %.3f -> %.3f, RSS %.0f MB, digest %x", seed,
			mid.Sub(start).Seconds(), sft["policy.nll"], time.Since(mid).Seconds(), before, after, maxRSS(), l.e.WeightsDigest())
		if sum += after / float64(*demoSeeds); after < .85 {
			t.Errorf("seed %d ends at %.3f, want at least .85", seed, after)
		}
	}
	if sum < .9 && *demoSeeds >= 3 {
		t.Errorf("mean %.3f, want at least .90", sum)
	}
}

// TestLearningNeedsTheReward: after SFT, forty steps with the real reward raise the share of right samples on held-out
// problems by a tenth and more; with rewards dealt to random rows they must not.
func TestLearningNeedsTheReward(t *testing.T) {
	if *demoSeeds == 0 {
		t.Skip("takes a minute: run with -demo 1")
	}
	gain := func(deal bool) float64 {
		l := &learner{tb: t, e: demoEngine(t, 1, 2), seed: 1}
		l.sft(DemoSFT())
		before := l.sampledAccuracy()
		stage, rng := DemoRL(), rand.New(rand.NewPCG(1, 1))
		stage.Steps = 40
		var reward func(problem, float64) float64
		if deal {
			reward = func(problem, float64) float64 { return float64(rng.IntN(2)) }
		}
		l.rl(stage, reward, nil)
		return l.sampledAccuracy() - before
	}
	honest, dealt := gain(false), gain(true)
	t.Logf("with the reward %+.3f, with dealt rewards %+.3f", honest, dealt)
	if honest < .1 || dealt >= .1 {
		t.Error("learning does not follow the reward")
	}
}

// TestSFTLowersTheLoss is the quick one: it runs always.
func TestSFTLowersTheLoss(t *testing.T) {
	l := &learner{tb: t, e: demoEngine(t, 1, 2), seed: 1}
	short := DemoSFT()
	short.Steps = 40
	if m := l.sft(short); m["policy.nll"] > 2 { // ln 259 = 5.6 at the start
		t.Errorf("after 40 steps the loss is %.3f nats a byte", m["policy.nll"])
	}
}
