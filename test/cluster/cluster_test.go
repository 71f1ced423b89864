package cluster

import (
	"bytes"
	"context"
	"errors"
	"io"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	"github.com/provenir/provenir/mesh/meshtest"
)

const (
	seed  = 11
	steps = 60
)

// create ingests through the evaluator and creates the run at the orchestrator, each at its own process.
func create(t *testing.T, c *cluster) (orchestratorv1.OrchestratorServiceClient, string) {
	t.Helper()
	spec, err := meshtest.Spec(t.Context(), c.connect("evaluator"), seed, steps)
	if err != nil {
		t.Fatal(err)
	}
	conn := c.connect("orchestrator")
	uid, err := meshtest.Create(t.Context(), conn, spec)
	if err != nil {
		t.Fatal(err)
	}
	return orchestratorv1.NewOrchestratorServiceClient(conn), uid
}

// follow watches a run over restarts of the orchestrator and calls step after each step's event.
func follow(t *testing.T, o orchestratorv1.OrchestratorServiceClient, uid string, step func(n int)) *orchestratorv1.Run {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	token, seen := "", 0
	for {
		stream, err := o.WatchRun(ctx, &orchestratorv1.WatchRunRequest{Run: uid, ResumeToken: token}, grpc.WaitForReady(true))
		for err == nil {
			var m *orchestratorv1.WatchRunResponse
			if m, err = stream.Recv(); err != nil {
				break
			}
			token = m.GetResumeToken()
			if m.GetStep() != nil {
				seen++
				step(seen)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return final(ctx, t, o, uid)
		case status.Code(err) != codes.Unavailable:
			t.Fatalf("watch: %v", err)
		}
	}
}

// final asks for the run after its last event. The events may have been in this process's buffers already when step killed
// the orchestrator, so the question can meet one that is still starting.
func final(ctx context.Context, t *testing.T, o orchestratorv1.OrchestratorServiceClient, uid string) *orchestratorv1.Run {
	t.Helper()
	for {
		got, err := o.GetRun(ctx, &orchestratorv1.GetRunRequest{Run: uid}, grpc.WaitForReady(true))
		switch {
		case err == nil:
			return got.GetRun()
		case status.Code(err) != codes.Unavailable:
			t.Fatalf("get run: %v", err)
		}
	}
}

// undisturbed is the run in one process that nobody disturbs. It is of the same binary: a verifier's digest names its build.
func undisturbed(t *testing.T) *orchestratorv1.Run {
	t.Helper()
	o, uid := create(t, newSingle(t))
	run := follow(t, o, uid, func(int) {})
	if run.GetState() != orchestratorv1.RunState_RUN_STATE_SUCCEEDED {
		t.Fatalf("the undisturbed run is %s: %v", run.GetState(), run.GetFailure())
	}
	return run
}

func same(t *testing.T, got, want *orchestratorv1.Run) {
	t.Helper()
	if got.GetState() != orchestratorv1.RunState_RUN_STATE_SUCCEEDED {
		t.Fatalf("the run is %s: %v", got.GetState(), got.GetFailure())
	}
	if !bytes.Equal(got.GetEventsRoot(), want.GetEventsRoot()) || !bytes.Equal(got.GetChain(), want.GetChain()) {
		t.Errorf("root %x, chain %x; in one undisturbed process %x, %x", got.GetEventsRoot(), got.GetChain(), want.GetEventsRoot(), want.GetChain())
	}
}

func TestSevenProcessesGiveTheRootOfOne(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	calm := undisturbed(t)
	c := newCluster(t)
	o, uid := create(t, c)
	same(t, follow(t, o, uid, func(int) {}), calm)
}

func TestTheSingleProcessMayBeKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes")
	}
	calm := undisturbed(t)
	c := newSingle(t)
	o, uid := create(t, c)
	kills := 0
	run := follow(t, o, uid, func(n int) {
		if n%12 == 0 && kills < 4 {
			kills++
			c.kill("mesh")
			c.start("mesh")
		}
	})
	if kills < 4 {
		t.Errorf("only %d kills", kills)
	}
	same(t, run, calm)
}

// TestEveryProcessMayBeKilled: each role but the stateless gateway twice, while the run is under way.
func TestEveryProcessMayBeKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes")
	}
	calm := undisturbed(t)
	c := newCluster(t)
	o, uid := create(t, c)
	victims := []string{"trainer", "recorder", "verifier", "orchestrator", "evaluator", "governance"}
	kills := 0
	run := follow(t, o, uid, func(n int) {
		if n%5 == 0 && kills < 2*len(victims) {
			v := victims[kills%len(victims)]
			kills++
			c.kill(v)
			c.start(v)
		}
	})
	if kills < 10 {
		t.Errorf("only %d kills", kills)
	}
	same(t, run, calm)
}

// TestASleeperIsFenced: a second orchestrator takes the run over from one that was stopped; the stopped one wakes up,
// believes that it owns the run, and can do no harm. The run is paused first and the stop falls outside a transaction: a
// sleeper that holds SQLite's write lock would stop its successor as well, whatever the lease says.
func TestASleeperIsFenced(t *testing.T) {
	if testing.Short() {
		t.Skip("stops processes")
	}
	calm := undisturbed(t)
	c := newCluster(t)
	o, uid := create(t, c)
	if _, err := o.PauseRun(t.Context(), &orchestratorv1.PauseRunRequest{Run: uid}); err != nil {
		t.Fatal(err)
	}
	await(t, o, uid, func(m *orchestratorv1.WatchRunResponse) bool {
		return m.GetRun().GetState() == orchestratorv1.RunState_RUN_STATE_PAUSED
	})
	sleeper := c.procs["orchestrator"]
	c.stopOutsideTransaction("orchestrator")
	c.ports["orchestrator"] = freePort(t)
	c.start("orchestrator")
	c.await("orchestrator")
	o2 := orchestratorv1.NewOrchestratorServiceClient(c.connect("orchestrator"))
	if _, err := o2.ResumeRun(t.Context(), &orchestratorv1.ResumeRunRequest{Run: uid}); err != nil {
		t.Fatalf("%v\n%s", err, c.log("orchestrator"))
	}
	await(t, o2, uid, func(m *orchestratorv1.WatchRunResponse) bool { // the new owner waits for the lease to run out first
		return m.GetStep().GetFacts().GetStep() >= 20
	})
	if err := sleeper.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = sleeper.cmd.Process.Kill()
		<-sleeper.done
	})
	same(t, follow(t, o2, uid, func(int) {}), calm)
}

// await follows a run until an event.
func await(t *testing.T, o orchestratorv1.OrchestratorServiceClient, uid string, seen func(*orchestratorv1.WatchRunResponse) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	stream, err := o.WatchRun(ctx, &orchestratorv1.WatchRunRequest{Run: uid})
	if err != nil {
		t.Fatal(err)
	}
	for {
		m, err := stream.Recv()
		if err != nil {
			t.Fatalf("watch: %v", err)
		}
		if seen(m) {
			return
		}
	}
}
