package pump

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// paid is a row whose verdict is a score.
func paid(id, group string, score float64) Judged {
	return Judged{ID: id, Group: group, Digest: []byte("digest of " + id), Item: &verifierv1.VerdictItem{Verdict: []byte("verdict of " + id),
		Summary: &verifierv1.VerdictSummary{Outcome: &verifierv1.VerdictSummary_Scored{Scored: &corev1.Scored{Reward: score}}}}}
}

// show gives records as one line each: VERDICT bytes, or REWARD group: id=use,….
func show(t *testing.T, records []*recorderv1.Record) []string {
	t.Helper()
	var out []string
	for _, r := range records {
		if r.GetType() == recorderv1.RecordType_RECORD_TYPE_VERDICT {
			out = append(out, string(r.GetPayload()))
			continue
		}
		var b corev1.RewardBatch
		if err := proto.Unmarshal(r.GetPayload(), &b); err != nil {
			t.Fatal(err)
		}
		var rows []string
		for _, x := range b.GetRewards() {
			rows = append(rows, x.GetRolloutId()+"="+strings.TrimPrefix(x.GetUse().String(), "TRAIN_USE_"))
		}
		out = append(out, "pay "+b.GetGroupId()+": "+strings.Join(rows, " "))
	}
	return out
}

func TestRecordsHaveOneOrder(t *testing.T) {
	lost, bad := paid("a1", "a", 0), paid("b1", "b", 1)
	lost.Item.Summary = &verifierv1.VerdictSummary{Outcome: &verifierv1.VerdictSummary_Unscored{Unscored: &corev1.Unscored{}}}
	bad.Item.Summary.Quarantine = true
	records, payloads, err := Records([]Judged{paid("a0", "a", 1), paid("b0", "b", 0), lost, bad})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"verdict of a0", "verdict of b0", "verdict of a1", "verdict of b1", "pay a: a0=USE a1=MASK", "pay b: b0=USE b1=QUARANTINE_GROUP"}
	if got := show(t, records); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if len(payloads) != 2 || string(payloads[0]) != string(records[4].GetPayload()) || string(payloads[1]) != string(records[5].GetPayload()) {
		t.Error("what is paid is not what is recorded, byte for byte")
	}
}

// Rows without a group share a record by 64, beside those that have one.
func TestUngroupedRowsShareRecords(t *testing.T) {
	for _, c := range []struct {
		rows int
		want []int
	}{{0, nil}, {1, []int{1}}, {64, []int{64}}, {65, []int{64, 1}}, {130, []int{64, 64, 2}}} {
		var round []Judged
		for i := range c.rows {
			round = append(round, paid(fmt.Sprint(i), "", 1))
		}
		var sizes []int
		for _, b := range rewards(round) {
			sizes = append(sizes, len(b.GetRewards()))
		}
		if !slices.Equal(sizes, c.want) {
			t.Errorf("%d rows in records of %v, want %v", c.rows, sizes, c.want)
		}
	}
	var group []Judged
	for i := range 100 {
		group = append(group, paid(fmt.Sprint(i), "g", 1))
	}
	if b := rewards(group); len(b) != 1 || len(b[0].GetRewards()) != 100 {
		t.Errorf("a group of 100 lies in %d records", len(b))
	}
}

// A verdict of a clock is read back from its record as what it was.
func TestALateVerdictSaysSo(t *testing.T) {
	item, err := late(Judged{ID: "x", Digest: []byte("d")})
	if err != nil {
		t.Fatal(err)
	}
	var v corev1.Verdict
	if err := proto.Unmarshal(item.GetVerdict(), &v); err != nil {
		t.Fatal(err)
	}
	if v.GetRolloutId() != "x" || string(v.GetRolloutDigest()) != "d" || v.GetUnscored().GetReason() != corev1.UnscoredReason_UNSCORED_REASON_DEADLINE {
		t.Errorf("%v", &v)
	}
	s, err := Summarise(item.GetVerdict())
	if err != nil || !proto.Equal(s, item.GetSummary()) || !s.GetTimeDependent() {
		t.Errorf("read back as %v, %v", s, err)
	}
	if _, err := Summarise([]byte{0xff}); err == nil {
		t.Error("bytes that are no verdict were read")
	}
}

func TestAReplayedQuarantineIsOne(t *testing.T) {
	b, err := proto.Marshal(&corev1.Verdict{Verdict: &corev1.Verdict_Scored{Scored: &corev1.Scored{Reward: .5}},
		Findings: []*corev1.Finding{{Kind: "other"}, {Kind: "repeated_infrastructure_failure"}, {Kind: "another"}}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Summarise(b)
	if err != nil || !s.GetQuarantine() || s.GetTimeDependent() || s.GetScored().GetReward() != .5 {
		t.Errorf("%v, %v", s, err)
	}
}
