package pump

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/rowgroup"
)

// ofRow makes the frame of a rollout that names a row of the dataset.
func ofRow(t *testing.T, id, group, task string) *trainerv1.RolloutFrame {
	t.Helper()
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(&corev1.Rollout{RolloutId: id, GroupId: group, TaskId: task})
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(body)
	return &trainerv1.RolloutFrame{RolloutId: id, GroupId: group, Body: body, Digest: digest[:]}
}

// What belongs to a row is in the row's erasure group, in every step and over a restart; a reward is never in a group where
// another row's is.
func TestRecordsOfARowAreOneGroup(t *testing.T) {
	r := newRig(t)
	step := func(n int) (out []*trainerv1.RolloutFrame) {
		for i := range 3 {
			group := fmt.Sprintf("s%d.g%d", n, i)
			for k := range 2 {
				out = append(out, ofRow(t, fmt.Sprintf("s%d.r%d.%d", n, i, k), group, fmt.Sprintf("row-%d", i)))
			}
		}
		return append(out, ofRow(t, fmt.Sprintf("s%d.lone.a", n), "", "row-a"), ofRow(t, fmt.Sprintf("s%d.lone.b", n), "", "row-b"), ofRow(t, fmt.Sprintf("s%d.none", n), "", ""))
	}
	for n, second := range []bool{false, true} {
		p, err := r.open(uint64(n+1), uint64(len(r.rec.records())), second, nil)
		if err != nil {
			t.Fatal(err)
		}
		p.ByRow = true
		if err := play(t.Context(), p, step(n), uint64(n), 0, nil); err != nil {
			t.Fatal(err)
		}
		shut(p)
	}
	groups := map[string]map[recorderv1.RecordType]int{}
	for i, rec := range r.rec.records() {
		ids := map[string]bool{}
		switch rec.GetType() {
		case recorderv1.RecordType_RECORD_TYPE_ROLLOUT:
			var x corev1.Rollout
			if err := proto.Unmarshal(rec.GetPayload(), &x); err != nil {
				t.Fatal(err)
			}
			if rec.GetErasureGroup() != rowgroup.Name(x.GetTaskId()) {
				t.Errorf("record %d of row %q is in the group %q", i, x.GetTaskId(), rec.GetErasureGroup())
			}
		case recorderv1.RecordType_RECORD_TYPE_REWARD:
			var b corev1.RewardBatch
			if err := proto.Unmarshal(rec.GetPayload(), &b); err != nil {
				t.Fatal(err)
			}
			for _, x := range b.GetRewards() {
				ids[x.GetRolloutId()] = true
			}
			for _, other := range r.rec.records() {
				if other.GetType() != recorderv1.RecordType_RECORD_TYPE_ROLLOUT {
					continue
				}
				var x corev1.Rollout
				if err := proto.Unmarshal(other.GetPayload(), &x); err != nil {
					t.Fatal(err)
				}
				if ids[x.GetRolloutId()] && rowgroup.Name(x.GetTaskId()) != rec.GetErasureGroup() {
					t.Errorf("the reward of %s of row %q is in the group %q", x.GetRolloutId(), x.GetTaskId(), rec.GetErasureGroup())
				}
			}
		}
		if groups[rec.GetErasureGroup()] == nil {
			groups[rec.GetErasureGroup()] = map[recorderv1.RecordType]int{}
		}
		groups[rec.GetErasureGroup()][rec.GetType()]++
	}
	for _, name := range []string{"row-0", "row-1", "row-2"} {
		g := groups[rowgroup.Name(name)]
		if g[recorderv1.RecordType_RECORD_TYPE_ROLLOUT] != 4 || g[recorderv1.RecordType_RECORD_TYPE_VERDICT] != 4 || g[recorderv1.RecordType_RECORD_TYPE_REWARD] != 2 {
			t.Errorf("%s: %v", name, g)
		}
	}
	if g := groups[""]; g[recorderv1.RecordType_RECORD_TYPE_ROLLOUT] != 2 || g[recorderv1.RecordType_RECORD_TYPE_VERDICT] != 2 {
		t.Errorf("of no row: %v", g)
	}
	r.honest()
}

// Without rows no record names a group: a plain run would be refused.
func TestNoGroupsWithoutRows(t *testing.T) {
	r := newRig(t)
	p := r.pump(false)
	if err := play(t.Context(), p, []*trainerv1.RolloutFrame{ofRow(t, "a", "g", "row-a"), ofRow(t, "b", "", "row-b")}, 0, 0, nil); err != nil {
		t.Fatal(err)
	}
	for i, rec := range r.rec.records() {
		if rec.GetErasureGroup() != "" {
			t.Errorf("record %d names %q", i, rec.GetErasureGroup())
		}
	}
}
