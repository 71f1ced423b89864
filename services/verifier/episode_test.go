package verifier

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// episode is the client's side of a stream.
type episode struct {
	t      testing.TB
	stream verifierv1.VerifierService_RunEpisodeClient
}

func openEpisode(t testing.TB, ctx context.Context, c verifierv1.VerifierServiceClient) *episode { //nolint:revive // t first, as in every helper here
	t.Helper()
	stream, err := c.RunEpisode(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return &episode{t, stream}
}

func (e *episode) ask(r *verifierv1.RunEpisodeRequest) *verifierv1.RunEpisodeResponse {
	e.t.Helper()
	if err := e.stream.Send(r); err != nil && !errors.Is(err, io.EOF) {
		e.t.Fatal(err)
	}
	m, err := e.stream.Recv()
	if err != nil {
		e.t.Fatal(err)
	}
	return m
}

func (e *episode) reset(r *verifierv1.ResetEpisode) *verifierv1.RunEpisodeResponse {
	e.t.Helper()
	return e.ask(&verifierv1.RunEpisodeRequest{Command: &verifierv1.RunEpisodeRequest_Reset_{Reset_: r}})
}

func (e *episode) step(action string) *verifierv1.RunEpisodeResponse {
	e.t.Helper()
	return e.ask(&verifierv1.RunEpisodeRequest{Command: &verifierv1.RunEpisodeRequest_Step{Step: &verifierv1.StepEpisode{Action: []byte(action)}}})
}

func (e *episode) state() *verifierv1.EpisodeState {
	e.t.Helper()
	return e.ask(&verifierv1.RunEpisodeRequest{Command: &verifierv1.RunEpisodeRequest_State{State: &verifierv1.GetEpisodeState{}}}).GetState()
}

func (e *episode) close() *verifierv1.EpisodeClosed {
	e.t.Helper()
	return e.ask(&verifierv1.RunEpisodeRequest{Command: &verifierv1.RunEpisodeRequest_Close{Close: &verifierv1.CloseEpisode{}}}).GetClosed()
}

// sum reads the expression of a calculator of difficulty 1.
func sum(t testing.TB, prompt string) string {
	t.Helper()
	_, rest, _ := strings.Cut(prompt, "Compute ")
	text, _, ok := strings.Cut(rest, " with")
	if !ok {
		t.Fatalf("prompt %q", prompt)
	}
	return text
}

func calculate(expression string) string {
	return `<tool_call>{"name":"calculate","arguments":{"expression":"` + expression + `"}}</tool_call>`
}

func TestAnEpisodeOverTheWire(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	e := openEpisode(t, t.Context(), c)
	if got := e.state(); got.GetPhase() != "created" {
		t.Errorf("before reset: %v", got)
	}
	if got := e.step("x").GetProblem(); got.GetReason() != "INVALID_ARGUMENT" {
		t.Errorf("step before reset: %v", got)
	}
	o := e.reset(&verifierv1.ResetEpisode{Environment: "calculator", Seed: 4, EpisodeId: "mine", Credit: "uniform"}).GetObservation()
	if o.GetEpisodeId() != "mine" || o.GetDone() || o.Reward != nil {
		t.Fatalf("%v", o)
	}
	result := e.step(calculate(sum(t, o.GetText()))).GetObservation()
	if result.GetError() != "" || result.GetTurn() != 1 || result.Reward != nil {
		t.Fatalf("%v", result)
	}
	end := e.step("So it is #### " + result.GetText()).GetObservation()
	if !end.GetDone() || end.GetTruncated() || end.GetReward() != 1 {
		t.Errorf("%v", end)
	}
	if got := e.step("#### 1").GetProblem(); got.GetReason() != "EPISODE_OVER" {
		t.Errorf("after the end: %v", got)
	}
	if got := e.state(); got.GetPhase() != "terminated" || got.GetTurn() != 2 {
		t.Errorf("%v", got)
	}
	closed := e.close()
	v := closed.GetVerdict()
	if !v.GetScored().GetPassed() || v.GetRolloutId() != "mine" || len(v.GetVerifierDigest()) != 32 || len(closed.GetTrajectoryDigest()) != 32 ||
		len(closed.GetCredit()) != 2 || closed.GetCredit()[0]+closed.GetCredit()[1] != 1 {
		t.Errorf("%v", closed)
	}
	if _, err := e.stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("after close: %v", err)
	}
}

func TestBadResets(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	e := openEpisode(t, t.Context(), c)
	for _, r := range []*verifierv1.ResetEpisode{
		{}, {Environment: "chess"}, {Environment: "lookup", Split: "validation"}, {Environment: "lookup", Credit: "all"},
	} {
		if got := e.reset(r).GetProblem(); got.GetReason() != "INVALID_ARGUMENT" {
			t.Errorf("%v: %v", r, got)
		}
	}
	if got := e.ask(&verifierv1.RunEpisodeRequest{}).GetProblem(); got.GetReason() != "INVALID_ARGUMENT" {
		t.Errorf("no command: %v", got)
	}
	if got := e.reset(&verifierv1.ResetEpisode{Environment: "lookup"}).GetObservation(); len(got.GetEpisodeId()) != 26 {
		t.Errorf("after errors: %v", got)
	}
	if got := e.close(); got.GetVerdict() != nil || got.GetCredit() != nil {
		t.Errorf("closed before its end: %v", got)
	}
}

func TestEpisodesHaveSlots(t *testing.T) {
	c, s := serve(t, Config{Episodes: 2}, Deps{})
	ctx, cancel := context.WithCancel(t.Context())
	first := openEpisode(t, ctx, c)
	first.state()
	second := openEpisode(t, t.Context(), c)
	second.state()
	full := openEpisode(t, t.Context(), c)
	if _, err := full.stream.Recv(); rpc.Reason(err) != "CAPACITY_REACHED" {
		t.Errorf("a third episode: %v", err)
	}
	cancel() // a caller that goes away without a word frees its slot
	s.envs.slots <- struct{}{}
	<-s.envs.slots
	third := openEpisode(t, t.Context(), c)
	third.state()
	third.close()
	second.close()
}

func TestListEnvironments(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	got, err := c.ListEnvironments(t.Context(), &verifierv1.ListEnvironmentsRequest{})
	if err != nil || len(got.GetEnvironments()) != 2 || got.GetEnvironments()[0].GetName() != "calculator" || got.GetEnvironments()[1].GetName() != "lookup" {
		t.Fatalf("%v, %v", got, err)
	}
	for _, e := range got.GetEnvironments() {
		if !e.GetRequireTools() || e.GetMaxTurns() != 10 || !strings.Contains(string(e.GetToolsJson()), `"submit"`) {
			t.Errorf("%v", e)
		}
	}
}
