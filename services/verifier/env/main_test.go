package env

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/task"
	"github.com/provenir/provenir/services/verifier/verdict"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// till is a world that judges by its state: the policy must put 3 coins into it.
type till struct {
	coins int
	hung  chan struct{} // closed to let a hanging tool go
}

func (t *till) Task() Task { return Task{ID: "till", Prompt: "Put 3 coins into the till."} }

func (t *till) Act(ctx context.Context, tool string, args map[string]any) (string, error) {
	switch tool {
	case "put":
		n, _ := args["coins"].(json.Number).Int64()
		if n > 10 {
			return "", errors.New("the till has no room for that")
		}
		t.coins += int(n)
		return fmt.Sprintf("%d coins", t.coins), nil
	case "shout":
		return strings.Repeat("é", 10_000), nil
	case "wait":
		<-ctx.Done()
		return "", ctx.Err()
	case "hang":
		<-t.hung
		return "late", nil
	}
	panic("no such tool")
}

func (t *till) Progress() float64 { return min(float64(t.coins)/3, 1) }

func (t *till) Verdict(string) verdict.Verdict {
	if t.coins == 3 {
		return verdict.Pass("till", "state_matches")
	}
	return verdict.Fail("till", "state_differs")
}

func object(properties string) json.RawMessage {
	return json.RawMessage(`{"type":"object","properties":{` + properties + `},"additionalProperties":false}`)
}

func tillDefinition(w *till) Definition {
	return Definition{
		Name: "till", Version: "1", Summary: "test",
		Tools: []Tool{{"put", "", json.RawMessage(`{"type":"object","properties":{"coins":{"type":"integer"},"note":{}},"required":["coins"]}`)},
			{"shout", "", object("")}, {"wait", "", object("")}, {"hang", "", object("")}, {"burst", "", object("")}},
		Begin: func(Setting) (World, error) { w.coins = 0; return w, nil },
	}
}

// game is a session over a clock that the test moves.
type game struct {
	t     *testing.T
	clock *clock.Fake
	*Session
}

func play(t *testing.T, d Definition, credit Credit) *game {
	t.Helper()
	e, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	c := clock.NewFake(time.Unix(0, 0))
	g := &game{t, c, NewSession(c, byEquality)}
	if _, err := g.Reset(Episode{ID: "e", Env: e, Credit: credit, Setting: Setting{Seed: 1, Split: task.Train}}); err != nil {
		t.Fatal(err)
	}
	return g
}

// byEquality stands for the verifiers: the text behind #### must be the reference.
func byEquality(_ context.Context, t Task, answer string) verdict.Verdict {
	if _, got, _ := strings.Cut(answer, "#### "); strings.TrimSpace(got) == t.Reference {
		return verdict.Pass(t.Spec, "equal")
	}
	return verdict.Fail(t.Spec, "different")
}

func (g *game) step(action string) Observation {
	g.t.Helper()
	o, err := g.Step(g.t.Context(), []byte(action))
	if err != nil {
		g.t.Fatalf("%s: %v", action, err)
	}
	return o
}
