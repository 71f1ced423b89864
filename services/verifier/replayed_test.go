package verifier

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/blob"
)

// An episode that was played over gRPC, sent as a rollout: the same verdict, and in its evidence the same chain of turns.
func TestAnEpisodeIsPlayedAgain(t *testing.T) {
	store, err := blob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c, s := serve(t, Config{}, Deps{Blobs: store})
	stream, err := c.RunEpisode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	do := func(r *verifierv1.RunEpisodeRequest) *verifierv1.RunEpisodeResponse {
		t.Helper()
		if err := stream.Send(r); err != nil {
			t.Fatal(err)
		}
		m, err := stream.Recv()
		if err != nil || m.GetProblem() != nil {
			t.Fatalf("%v, %v", m, err)
		}
		return m
	}
	rollout := &corev1.Rollout{RolloutId: "r", Columns: []*corev1.Column{{Key: "difficulty", Json: []byte("2")}, {Key: "seed", Json: []byte("11")}}}
	say := func(k corev1.SegmentKind, text string) {
		rollout.Segments = append(rollout.Segments, &corev1.Segment{Kind: k, Text: []byte(text)})
	}
	o := do(&verifierv1.RunEpisodeRequest{Command: &verifierv1.RunEpisodeRequest_Reset_{Reset_: &verifierv1.ResetEpisode{Environment: "calculator", Seed: 11, Difficulty: 2}}})
	say(corev1.SegmentKind_SEGMENT_KIND_PROMPT, o.GetObservation().GetText())
	for _, action := range []string{`{"tool":"calculate","args":{"expression":"2 * 3"}}`, `{"tool":"calculate","args":{"expression":"1 / 0"}}`, "#### 5"} {
		o = do(&verifierv1.RunEpisodeRequest{Command: &verifierv1.RunEpisodeRequest_Step{Step: &verifierv1.StepEpisode{Action: []byte(action)}}})
		say(corev1.SegmentKind_SEGMENT_KIND_MODEL, action)
		say(corev1.SegmentKind_SEGMENT_KIND_ENV, o.GetObservation().GetText())
	}
	closed := do(&verifierv1.RunEpisodeRequest{Command: &verifierv1.RunEpisodeRequest_Close{Close: &verifierv1.CloseEpisode{}}}).GetClosed()

	verify := func() *corev1.Verdict {
		t.Helper()
		b, err := proto.Marshal(rollout)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Verify(t.Context(), &verifierv1.VerifyRequest{Spec: &verifierv1.Spec{Name: "episode:environment=calculator"}, Candidate: &verifierv1.Candidate{Rollout: b}})
		if err != nil {
			t.Fatal(err)
		}
		return got.GetVerdict()
	}
	v := verify()
	if v.GetScored() == nil || v.GetScored().GetReward() != closed.GetVerdict().GetScored().GetReward() || v.GetReason() != closed.GetVerdict().GetReason() {
		t.Errorf("played %v, again %v", closed.GetVerdict(), v)
	}
	if err := s.evidence.Sync(); err != nil {
		t.Fatal(err)
	}
	d, err := blob.ParseDigest(v.GetEvidenceDigest())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := store.Read(t.Context(), d, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var evidence struct {
		Tests []struct{ Name, Detail string }
	}
	if err := json.Unmarshal(raw, &evidence); err != nil || len(evidence.Tests) != 4 || evidence.Tests[3].Name != "turn 3" {
		t.Fatalf("%s, %v", raw, err)
	}
	if got := evidence.Tests[3].Detail; got != hex.EncodeToString(closed.GetTrajectoryDigest()) {
		t.Errorf("the last hash is %s, the episode's %x", got, closed.GetTrajectoryDigest())
	}
	rollout.Segments[2].Text = []byte("7") // the environment said 6
	if u := verify().GetUnscored(); u.GetReason() != corev1.UnscoredReason_UNSCORED_REASON_BAD_ROW || !strings.Contains(u.GetDetail(), "turn 1") {
		t.Errorf("%v", u)
	}
}

func TestAnEpisodeOfAnEnvironmentThatIsNotThere(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	_, err := c.Verify(t.Context(), &verifierv1.VerifyRequest{Spec: &verifierv1.Spec{Name: "episode:environment=chess"}, Candidate: &verifierv1.Candidate{RowJson: []byte(`{"seed":1}`)}})
	if err == nil || !strings.Contains(fmt.Sprint(err), "calculator, lookup") {
		t.Errorf("%v", err)
	}
}
