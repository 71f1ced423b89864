package verifier

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/internal/task"
	"github.com/provenir/provenir/services/verifier/env"
)

// RunEpisode plays one environment. The stream is the actor: commands are carried out one after the other, and whatever
// ends the stream frees its slot. A command that is not carried out is a problem in the answer, and the episode goes on.
func (s *Service) RunEpisode(stream verifierv1.VerifierService_RunEpisodeServer) error {
	select {
	case s.envs.slots <- struct{}{}:
	default:
		return rpc.Errorf(codes.ResourceExhausted, corev1.ErrorReason_ERROR_REASON_CAPACITY_REACHED,
			"%d episodes are open, which is as many as may be; close one, or retry", cap(s.envs.slots)).RetryAfter(durationpb.New(1e9))
	}
	defer func() { <-s.envs.slots }()
	ctx := stream.Context()
	p := s.newPlayer()
	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		answer, err := p.do(ctx, r)
		if err != nil {
			return err
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
		if r.GetClose() != nil {
			return nil
		}
	}
}

// player is a session with the words of the contract.
type player struct {
	s       *Service
	session *env.Session
	id      string
}

func (s *Service) newPlayer() *player {
	return &player{s: s, session: env.NewSession(s.clock, s.judgeAnswer)}
}

// do carries out one command. An error is of ours and ends the stream; what is the caller's becomes a problem.
func (p *player) do(ctx context.Context, r *verifierv1.RunEpisodeRequest) (*verifierv1.RunEpisodeResponse, error) {
	var o env.Observation
	var err error
	switch c := r.GetCommand().(type) {
	case *verifierv1.RunEpisodeRequest_Reset_:
		o, err = p.reset(c.Reset_)
	case *verifierv1.RunEpisodeRequest_Step:
		o, err = p.session.Step(ctx, c.Step.GetAction())
	case *verifierv1.RunEpisodeRequest_State:
		st := p.session.State()
		return &verifierv1.RunEpisodeResponse{Answer: &verifierv1.RunEpisodeResponse_State{State: &verifierv1.EpisodeState{
			EpisodeId: st.ID, Phase: string(st.Phase), Turn: uint32(st.Turn), Errors: uint32(st.Errors)}}}, nil
	case *verifierv1.RunEpisodeRequest_Close:
		closed, err := p.close()
		return &verifierv1.RunEpisodeResponse{Answer: &verifierv1.RunEpisodeResponse_Closed{Closed: closed}}, err
	default:
		err = invalid("command", "a command is reset, step, state or close")
	}
	if err != nil {
		return problem(err)
	}
	return &verifierv1.RunEpisodeResponse{Answer: &verifierv1.RunEpisodeResponse_Observation{Observation: &verifierv1.Observation{
		EpisodeId: p.id, Text: o.Text, Done: o.Done(), Truncated: o.Truncated(), Reward: o.Reward, Turn: uint32(o.Turn), Error: o.Error}}}, nil
}

func (p *player) reset(r *verifierv1.ResetEpisode) (env.Observation, error) {
	e, ok := p.s.envs.lookup(r.GetEnvironment())
	if !ok {
		return env.Observation{}, invalid("environment", "no environment %q; there are: %s", r.GetEnvironment(), p.s.envs.names())
	}
	credit, err := env.ParseCredit(r.GetCredit())
	if err != nil {
		return env.Observation{}, invalid("credit", "%w", err)
	}
	split := task.Train
	if r.GetSplit() != "" {
		if split, err = task.ParseSplit(r.GetSplit()); err != nil {
			return env.Observation{}, invalid("split", "%w", err)
		}
	}
	id := r.GetEpisodeId()
	if id == "" {
		if id, err = (idgen.Generator{Clock: p.s.clock}).New(); err != nil {
			return env.Observation{}, err
		}
	}
	o, err := p.session.Reset(env.Episode{ID: id, Env: e, Credit: credit, Setting: env.Setting{Seed: r.GetSeed(), Split: split, Difficulty: int(r.GetDifficulty())}})
	if err != nil {
		return o, taskProblem(err)
	}
	p.id = id
	return o, nil
}

func (p *player) close() (*verifierv1.EpisodeClosed, error) {
	out := p.session.Close()
	m := &verifierv1.EpisodeClosed{EpisodeId: out.ID, Credit: out.Credit, TrajectoryDigest: out.Digest}
	if out.Verdict == nil {
		return m, nil
	}
	var err error
	m.Verdict, err = p.s.finishEpisode(&out)
	return m, err
}

// problem answers a command that was not carried out. Errors that are not the caller's stay errors.
func problem(err error) (*verifierv1.RunEpisodeResponse, error) {
	var p *rpc.Problem
	switch {
	case errors.Is(err, env.ErrOver):
		p = rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_EPISODE_OVER, "%w", err)
	case errors.Is(err, env.ErrNoEpisode):
		p = invalid("command", "%w", err)
	case !errors.As(err, &p):
		return nil, err
	}
	return &verifierv1.RunEpisodeResponse{Answer: &verifierv1.RunEpisodeResponse_Problem{Problem: &verifierv1.EpisodeProblem{
		Reason: rpc.Reason(p), Detail: p.GRPCStatus().Message()}}}, nil
}
