package verifier

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/verifier/env/validate"
)

// ValidateEnvironment holds an environment to the rules of episodes.
func (s *Service) ValidateEnvironment(r *verifierv1.ValidateEnvironmentRequest, stream verifierv1.VerifierService_ValidateEnvironmentServer) error {
	var target validate.Target
	if name := r.GetTarget(); strings.Contains(name, "://") {
		remote, err := validate.NewRemote(name)
		if err != nil {
			return invalid("target", "%w", err)
		}
		if err := remote.Reach(stream.Context()); err != nil {
			return rpc.Errorf(codes.Unavailable, corev1.ErrorReason_ERROR_REASON_PEER_UNAVAILABLE, "nothing was tried: %w", err)
		}
		target = remote
	} else if _, ok := s.envs.lookup(name); ok {
		target = &here{s, name}
	} else {
		return invalid("target", "no environment %q; there are: %s; an address begins with http:// or https://", name, s.envs.names())
	}
	var sent error
	found, err := validate.Run(stream.Context(), target, func(done, total uint64, phase string) {
		sent = errors.Join(sent, stream.Send(&verifierv1.ValidateEnvironmentResponse{Step: &verifierv1.ValidateEnvironmentResponse_Progress{
			Progress: &verifierv1.CheckProgress{Done: done, Total: total, Phase: phase}}}))
	})
	if err = errors.Join(err, sent); err != nil {
		return err
	}
	m := &verifierv1.EnvironmentReport{Passed: true}
	for _, f := range found {
		m.Rules = append(m.Rules, &verifierv1.EnvironmentRule{Name: f.Name, State: f.State, Detail: strings.ToValidUTF8(f.Detail, "?")})
		m.Passed = m.GetPassed() && f.State == validate.Held
	}
	return stream.Send(&verifierv1.ValidateEnvironmentResponse{Step: &verifierv1.ValidateEnvironmentResponse_Report{Report: m}})
}

// here is an environment of this service, played without a wire.
type here struct {
	s    *Service
	name string
}

// Open takes a slot, as a stream does.
func (h *here) Open(context.Context) (validate.Peer, error) {
	select {
	case h.s.envs.slots <- struct{}{}:
		return &seat{h: h, player: h.s.newPlayer()}, nil
	default:
		return nil, &validate.Refused{Code: rpc.Short(corev1.ErrorReason_ERROR_REASON_CAPACITY_REACHED), Message: "all slots are taken"}
	}
}

func (*here) Actions(context.Context) ([]byte, [][]byte, error) {
	return []byte("I do not know."), [][]byte{[]byte(`{"tool":"nobody","args":{}}`), []byte(`<tool_call>{`), []byte(`{"tool":"submit","args":{"answer":1,"__state__":1}}`)}, nil
}

func (*here) Extra() []validate.Rule { return nil }

type seat struct {
	h      *here
	player *player
	gone   bool
}

func (p *seat) do(ctx context.Context, r *verifierv1.RunEpisodeRequest) (*verifierv1.RunEpisodeResponse, error) {
	if p.gone {
		return nil, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_EPISODE_OVER, "the environment is closed")
	}
	m, err := p.player.do(ctx, r)
	if err == nil && m.GetProblem() != nil {
		err = &validate.Refused{Code: m.GetProblem().GetReason(), Message: m.GetProblem().GetDetail()}
	}
	return m, err
}

func seen(m *verifierv1.RunEpisodeResponse, err error) (validate.Seen, error) {
	o := m.GetObservation()
	if err != nil || o == nil {
		return validate.Seen{}, err
	}
	return validate.Seen{Text: o.GetText(), Error: o.GetError() != "", Done: o.GetDone(), Truncated: o.GetTruncated(), Reward: o.Reward}, nil //nolint:protogetter // absence counts
}

func (p *seat) Reset(ctx context.Context, seed uint64, episode string) (validate.Seen, error) {
	return seen(p.do(ctx, &verifierv1.RunEpisodeRequest{Command: &verifierv1.RunEpisodeRequest_Reset_{
		Reset_: &verifierv1.ResetEpisode{Environment: p.h.name, Seed: seed, EpisodeId: episode}}}))
}

func (p *seat) Step(ctx context.Context, action []byte) (validate.Seen, error) {
	return seen(p.do(ctx, &verifierv1.RunEpisodeRequest{Command: &verifierv1.RunEpisodeRequest_Step{Step: &verifierv1.StepEpisode{Action: action}}}))
}

func (p *seat) State(ctx context.Context) (validate.State, error) {
	m, err := p.do(ctx, &verifierv1.RunEpisodeRequest{Command: &verifierv1.RunEpisodeRequest_State{State: &verifierv1.GetEpisodeState{}}})
	return validate.State{Episode: m.GetState().GetEpisodeId(), Steps: uint64(m.GetState().GetTurn())}, err
}

func (p *seat) Close(ctx context.Context) error {
	_, err := p.do(ctx, &verifierv1.RunEpisodeRequest{Command: &verifierv1.RunEpisodeRequest_Close{Close: &verifierv1.CloseEpisode{}}})
	p.Drop()
	return err
}

func (p *seat) Drop() {
	if !p.gone {
		p.gone = true
		<-p.h.s.envs.slots
	}
}
