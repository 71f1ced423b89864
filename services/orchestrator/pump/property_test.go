package pump

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/faultline"
)

// Two hundred histories by seed: rounds of any size in batches of any size, verdicts in any order, twice or never, commits
// of any size, second verdicts or none, and processes that die anywhere and leave the recorder with any part of what was
// not yet on disk. In each of them:
//
//   - no reward is paid before the ack that covers its record (the trader checks that at each payment),
//   - the log is what Records makes of the rows, whatever came first,
//   - what is recorded is never written again, and what was paid is what is recorded.
func TestAnyHistoryMakesTheOneLog(t *testing.T) {
	seeds := uint64(200)
	if testing.Short() {
		seeds = 40
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			newHistory(t, seed).play()
		})
	}
}

type history struct {
	*rig
	rng    *rand.Rand
	rounds [][]*trainerv1.RolloutFrame
	second bool
}

func newHistory(t *testing.T, seed uint64) *history {
	h := &history{rig: newRig(t), rng: rand.New(rand.NewPCG(seed, 0))}
	h.second = h.rng.IntN(2) == 0
	for i := range 1 + h.rng.IntN(4) {
		h.rounds = append(h.rounds, round(i, 1+h.rng.IntN(20), h.rng.IntN(5)))
	}
	h.rec.rng, h.ver.rng = rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 2))
	h.ver.twice = h.rng.IntN(3) == 0
	if h.rng.IntN(3) == 0 {
		h.rec.window, h.ver.bytes, h.ver.items = 100, 100, 2 // everything waits for everything
	}
	for _, frames := range h.rounds {
		for _, f := range frames {
			if h.rng.IntN(40) == 0 && h.ver.items > 100 { // a small window would be used up by what never comes back
				h.ver.mute[f.GetRolloutId()] = true
			}
			if h.second && h.rng.IntN(20) == 0 {
				h.ver.forgets[f.GetRolloutId()] = true
			}
		}
	}
	return h
}

func (h *history) play() {
	points := []faultline.Point{PointRollout, PointVerdict, PointReward, PointDurable, PointPaid}
	var before []*recorderv1.Record
	for epoch := uint64(1); ; epoch++ {
		var fault *faultline.Line
		if epoch <= 3 && h.rng.IntN(3) > 0 {
			fault = faultline.New(points[h.rng.IntN(len(points))], 1+h.rng.IntN(6), nil)
		}
		h.ver.set(func(v *verifier) { v.salt = fmt.Sprint("epoch ", epoch) })
		err := h.one(epoch, fault)
		h.kept(before)
		if err == nil {
			break
		}
		if !errors.Is(err, faultline.ErrKilled) {
			h.Fatalf("epoch %d: %v", epoch, err)
		}
		h.rec.crash()
		before = h.rec.records()
	}
	h.honest()
	structure(h.T, h.rec.records(), h.rounds, h.second)
	h.paidIsRecorded()
}

// one lives through the step from its beginning, while the clock runs as soon as only it can help.
func (h *history) one(epoch uint64, fault *faultline.Line) error {
	p, err := h.open(epoch, 0, h.second, fault)
	if err != nil {
		return err
	}
	defer shut(p)
	lived := make(chan error, 1)
	go func() {
		for i, frames := range h.rounds {
			if err := play(h.Context(), p, frames, 0, uint32(i), h.rng); err != nil {
				lived <- err
				return
			}
		}
		lived <- errors.Join(heldout(h, p), p.Ledger.Flush(), p.Ledger.Durable(h.Context(), p.Ledger.Next()))
	}()
	for {
		timer, news, judged := h.clock.bell.wait(), p.Bell.wait(), h.ver.bell.wait()
		if h.clock.Waiters() > 0 && h.settled(p) {
			h.clock.Advance(timeout)
		}
		select {
		case err := <-lived:
			return err
		case <-timer:
		case <-news:
		case <-judged:
		}
	}
}

// settled says whether everything that the verifier will ever say is at the judge.
func (h *history) settled(p *Pump) bool {
	h.ver.mu.Lock()
	defer h.ver.mu.Unlock()
	return h.ver.now != nil && len(h.ver.now.pending) == 0 && p.Judge.items.Free() == int64(h.ver.items)-int64(h.ver.now.lost)
}

// kept checks that an earlier life's records still stand.
func (h *history) kept(before []*recorderv1.Record) {
	h.Helper()
	now := h.rec.records()
	if len(now) < len(before) || !slices.Equal(now[:len(before)], before) {
		h.Fatal("records of an earlier life were written again")
	}
}

// paidIsRecorded: a reward that any life has paid is in the log as it was paid, unless the log lost its unsynced end.
func (h *history) paidIsRecorded() {
	h.Helper()
	log := h.rec.records()
	for _, batch := range h.trader.paid {
		for _, payload := range batch.GetRewards() {
			if !durable(log, payload) {
				h.Errorf("round %d was paid with a reward that is not in the log", batch.GetRound())
			}
		}
	}
}
