// Package episode is the client's side of RunEpisode: an open stream, with one command at a time.
package episode

import (
	"context"
	"errors"
	"io"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// Problem is a command that was not carried out; the episode goes on.
type Problem struct{ Reason, Detail string }

func (p *Problem) Error() string { return p.Reason + ": " + p.Detail }

// ErrEnded says that the service ended the stream.
var ErrEnded = errors.New("the environment's stream has ended")

// Episode is an open stream. It is not safe for concurrent use.
type Episode struct {
	stream verifierv1.VerifierService_RunEpisodeClient
	cancel context.CancelFunc
}

// Open opens a stream and asks for its state, so that a caller who may not play, or for whom there is no room, is told
// now. The stream ends with ctx.
func Open(ctx context.Context, v verifierv1.VerifierServiceClient) (*Episode, error) {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := v.RunEpisode(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	e := &Episode{stream, cancel}
	if _, err := e.State(); err != nil {
		cancel()
		return nil, err
	}
	return e, nil
}

func (e *Episode) ask(r *verifierv1.RunEpisodeRequest) (*verifierv1.RunEpisodeResponse, error) {
	// An error of Send is EOF and says nothing; the cause comes from Recv.
	if err := e.stream.Send(r); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	m, err := e.stream.Recv()
	switch {
	case errors.Is(err, io.EOF):
		return nil, ErrEnded
	case err != nil:
		return nil, err
	case m.GetProblem() != nil:
		return nil, &Problem{m.GetProblem().GetReason(), m.GetProblem().GetDetail()}
	}
	return m, nil
}

// Reset begins an episode.
func (e *Episode) Reset(r *verifierv1.ResetEpisode) (*verifierv1.Observation, error) {
	m, err := e.ask(&verifierv1.RunEpisodeRequest{Command: &verifierv1.RunEpisodeRequest_Reset_{Reset_: r}})
	return m.GetObservation(), err
}

// Step acts.
func (e *Episode) Step(action []byte) (*verifierv1.Observation, error) {
	m, err := e.ask(&verifierv1.RunEpisodeRequest{Command: &verifierv1.RunEpisodeRequest_Step{Step: &verifierv1.StepEpisode{Action: action}}})
	return m.GetObservation(), err
}

// State tells where the episode stands.
func (e *Episode) State() (*verifierv1.EpisodeState, error) {
	m, err := e.ask(&verifierv1.RunEpisodeRequest{Command: &verifierv1.RunEpisodeRequest_State{State: &verifierv1.GetEpisodeState{}}})
	return m.GetState(), err
}

// Close ends the episode and frees its slot.
func (e *Episode) Close() error {
	defer e.cancel()
	_, err := e.ask(&verifierv1.RunEpisodeRequest{Command: &verifierv1.RunEpisodeRequest_Close{Close: &verifierv1.CloseEpisode{}}})
	if err != nil {
		return err
	}
	_, err = e.stream.Recv() // the slot is free when the service has ended the stream
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// Drop ends the stream without a word.
func (e *Episode) Drop() { e.cancel() }
