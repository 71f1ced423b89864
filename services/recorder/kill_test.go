package recorder

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/services/recorder/store"
)

// Killed at any of the store's points, in whichever of the three logs it is passed, and started again on what is on disk:
// the writer resumes, no finding is lost or doubled, and the root is that of an undisturbed run.
func TestKilledRecorderLosesNothing(t *testing.T) {
	recs := runRecords(t, 40, func(step int) float64 {
		if step >= 10 && step < 20 || step >= 33 {
			return 3
		}
		return 0.01
	})
	finish := func(r *rig) (root []byte, messages []string) {
		seal, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run-1", Epoch: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range r.stream.await(t, 3) {
			messages = append(messages, m.ID)
		}
		return seal.GetCheckpoints()[0].GetRoot(), messages
	}
	quiet := newRig(t)
	quiet.cfg.SnapshotSteps = 9
	quiet.start().write("run-1", 2, recs)
	wantRoot, wantMessages := finish(quiet)

	for _, point := range []faultline.Point{store.PointWritten, store.PointSynced, store.PointRolled, store.PointHistory} {
		for _, count := range []int{1, 4, 9, 15} {
			t.Run(fmt.Sprintf("%s/%d", filepath.Base(string(point)), count), func(t *testing.T) {
				r := newRig(t)
				r.cfg.SnapshotSteps = 9
				r.fault = faultline.New(point, count, nil)
				r.start()
				r.writeUntilRefused("run-1", 1, recs)
				r.fault = nil
				r.restart()
				resp, err := r.client.AppendBatch(t.Context(), &recorderv1.AppendBatchRequest{Run: "run-1", Epoch: 2, Log: recorderv1.Log_LOG_EVENTS,
					Spec: &recorderv1.RecorderSpec{Method: "grpo"}})
				if err != nil {
					t.Fatal(err)
				}
				next := int(resp.GetNextSeq())
				r.write("run-1", 2, recs[max(next-15, 0):])
				root, messages := finish(r)
				if !bytes.Equal(root, wantRoot) {
					t.Error("the root differs from that of an undisturbed run")
				}
				if !slices.Equal(messages, wantMessages) {
					t.Errorf("messages %v, want %v", messages, wantMessages)
				}
				v, err := r.client.VerifyRun(t.Context(), &recorderv1.VerifyRunRequest{Run: "run-1"})
				if err != nil || len(v.GetDamages()) > 0 {
					t.Errorf("verify %v, %v", v, err)
				}
			})
		}
	}
}

// writeUntilRefused writes small batches until the dead recorder takes no more.
func (r *rig) writeUntilRefused(run string, epoch uint64, recs []*recorderv1.Record) {
	r.t.Helper()
	for at := 0; at < len(recs); at += 20 {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		_, err := r.client.AppendBatch(ctx, &recorderv1.AppendBatchRequest{Run: run, Epoch: epoch, Log: recorderv1.Log_LOG_EVENTS,
			Records: recs[at:min(at+20, len(recs))], Spec: &recorderv1.RecorderSpec{Method: "grpo"}})
		cancel()
		if err != nil {
			return
		}
	}
}
