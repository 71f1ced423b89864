package mesh

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/lifecycle"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/gateway"
	"github.com/provenir/provenir/services/gateway/openenv"
)

// gateway serves REST. It passes the caller's own token on, so its connections carry none of their own.
func (b *builder) gateway(ctx context.Context) error {
	if b.cfg.Private {
		return nil
	}
	var routes []gateway.Route
	var verifier, recorder *grpc.ClientConn
	for _, x := range []struct {
		role     Role
		register gateway.Register
	}{
		{Orchestrator, orchestratorv1.RegisterOrchestratorServiceHandler}, {Recorder, recorderv1.RegisterRecorderServiceHandler},
		{Trainer, trainerv1.RegisterTrainerServiceHandler}, {Verifier, verifierv1.RegisterVerifierServiceHandler},
		{Evaluator, evaluatorv1.RegisterEvaluatorServiceHandler}, {Governance, governancev1.RegisterGovernanceServiceHandler},
	} {
		dial := rpc.DialConfig{}
		if b.runs(x.role) {
			dial.Memory = b.memory
		} else if dial.Target = b.cfg.Settings.Get("peers." + string(x.role)); dial.Target == "" {
			return fmt.Errorf("the role %s is not here and peers.%s says nothing", x.role, x.role)
		}
		conn, err := rpc.Dial(dial)
		if err != nil {
			return err
		}
		b.closers = append(b.closers, conn.Close)
		routes = append(routes, gateway.Route{Register: x.register, Conn: conn})
		switch x.role {
		case Verifier:
			verifier = conn
		case Recorder:
			recorder = conn
		}
	}
	s, err := gateway.New(ctx, gateway.Config{Version: Version(), Metrics: b.metricsHandler()}, gateway.Deps{Routes: routes, Verifier: verifier, Recorder: recorder, Ready: b.Health, Log: b.log})
	if err != nil {
		return err
	}
	l, err := loopbackListener(b.cfg.Settings.Get("http.listen"), "http.listen")
	if err != nil {
		return err
	}
	b.at.HTTP = l.Addr().String()
	b.group.Start(ctx, lifecycle.Task{Name: "gateway", Run: func(ctx context.Context) error { return s.Serve(ctx, l) }})
	return nil
}

// ServeEnvironment serves one environment of this process's verifier to OpenEnv's clients, and gives the address. It
// asks for the same token as everything else here.
func (m *Mesh) ServeEnvironment(ctx context.Context, name, addr string, production bool) (string, error) {
	conn, err := rpc.Dial(rpc.DialConfig{Memory: m.memory})
	if err != nil {
		return "", err
	}
	m.closers = append(m.closers, conn.Close)
	s, err := gateway.NewEnvironment(openenv.Config{Environment: name, Version: Version(), Production: production}, conn, m.log)
	if err != nil {
		return "", err
	}
	l, err := loopbackListener(addr, "--port")
	if err != nil {
		return "", err
	}
	m.group.Start(ctx, lifecycle.Task{Name: "environment " + name, Run: func(ctx context.Context) error { return s.Serve(ctx, l) }})
	return l.Addr().String(), nil
}
