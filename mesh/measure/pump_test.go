package measure

import "testing"

// BenchmarkPump is one rollout of 1 KiB through the whole path, in rounds of 256.
func BenchmarkPump(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10} {
		b.Run(map[int]string{1 << 10: "1KiB", 16 << 10: "16KiB"}[size], func(b *testing.B) {
			b.SetBytes(int64(size))
			n := max(256, b.N/256*256)
			if _, err := pumpOnce(b.Context(), b.TempDir(), PumpConfig{Size: size, Round: 256, Rollouts: n}); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func TestEveryRolloutIsPaid(t *testing.T) {
	if _, err := pumpOnce(t.Context(), t.TempDir(), PumpConfig{Size: 1 << 10, Round: 64, Rollouts: 1000}); err != nil {
		t.Error(err)
	}
}

func TestAnAnomalyReachesItsSubscriber(t *testing.T) {
	l, err := Anomalies(t.Context(), t.TempDir(), 3)
	if err != nil || l.N != 3 || l.P50 <= 0 {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestStepsAreIngested(t *testing.T) {
	if r, err := Steps(t.Context(), t.TempDir(), StepsConfig{Runs: 2, PerRun: 128, Batch: 64, Trials: 1}); err != nil || r.Ours <= 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestLiveRuns(t *testing.T) {
	if h, err := LiveRuns(t.Context(), t.TempDir(), 4); err != nil || len(h.Bytes) != 2 || h.Bytes[1] == 0 {
		t.Errorf("%+v %v", h, err)
	}
}

func TestLedger(t *testing.T) {
	rows, times, err := Ledger(t.Context(), t.TempDir(), 1000, 128)
	if err != nil || len(rows) != 3 || len(times) != 3 {
		t.Errorf("%v %v %v", rows, times, err)
	}
}
