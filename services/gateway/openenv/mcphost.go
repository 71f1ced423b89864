package openenv

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/gateway/mcp"
	"github.com/provenir/provenir/services/gateway/openenv/episode"
)

// mcp answers POST /mcp.
func (s *Server) mcp(w http.ResponseWriter, r *http.Request) {
	raw, err := body(w, r)
	if err != nil {
		fail(w, err)
		return
	}
	// Methods that need no role, such as initialize, must not be open to strangers either.
	if _, err := s.find(r.Context(), s.environment(r)); err != nil {
		fail(w, err)
		return
	}
	reply, err := mcp.Handle(r.Context(), raw, &apart{s, s.environment(r)})
	switch {
	case err != nil:
		fail(w, err)
	case reply == nil:
		w.WriteHeader(http.StatusAccepted)
	default:
		answer(w, http.StatusOK, json.RawMessage(reply))
	}
}

// told makes an error that a client of JSON-RPC is told. What has ended the stream stays as it is.
func told(err error) error {
	var p *episode.Problem
	var f *failure
	switch {
	case errors.As(err, &p):
		return &mcp.Error{Code: mcp.ServerError, Message: p.Detail, Data: map[string]string{"reason": p.Reason}}
	case errors.As(err, &f) && f.code == validationError:
		return &mcp.Error{Code: mcp.InvalidParams, Message: f.message}
	case errors.As(err, &f):
		return &mcp.Error{Code: mcp.ServerError, Message: f.message, Data: map[string]string{"reason": string(f.code)}}
	case err != nil && statusOf(err) == http.StatusNotFound:
		return &mcp.Error{Code: mcp.InvalidParams, Message: err.Error()}
	}
	return err
}

func (s *Server) tools(ctx context.Context, environment string) ([]mcp.Tool, error) {
	e, err := s.find(ctx, environment)
	if err != nil {
		return nil, err
	}
	var listed []struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
	}
	if err := json.Unmarshal(e.GetToolsJson(), &listed); err != nil {
		return nil, err
	}
	out := make([]mcp.Tool, len(listed))
	for i, t := range listed {
		out[i] = mcp.Tool{Name: t.Name, Description: t.Description, InputSchema: t.Parameters}
	}
	return out, nil
}

func act(e *episode.Episode, name string, arguments []byte) (mcp.Result, error) {
	quoted, err := json.Marshal(name)
	if err != nil {
		return mcp.Result{}, err
	}
	o, err := e.Step(Call(quoted, arguments))
	if err != nil {
		return mcp.Result{}, err
	}
	return mcp.Result{Text: o.GetText(), Wrong: o.GetError() != "", Done: o.GetDone(), Truncated: o.GetTruncated()}, nil
}

// apart is a host for callers without a connection: they name their session.
type apart struct {
	s           *Server
	environment string
}

func (a *apart) Tools(ctx context.Context) ([]mcp.Tool, error) { return a.s.tools(ctx, a.environment) }

func (a *apart) Create(ctx context.Context, params []byte) (session, text string, err error) {
	r, bad := readReset(params, a.environment)
	if bad != nil {
		return "", "", told(bad)
	}
	err = a.s.held.make(ctx, a.environment, func(e *episode.Episode) (string, error) {
		o, err := e.Reset(r)
		session, text = o.GetEpisodeId(), o.GetText()
		return session, err
	})
	return session, text, told(err)
}

func (a *apart) Close(ctx context.Context, session string) error {
	return told(a.s.held.use(ctx, a.environment, session, func(r *room) error {
		a.s.held.drop(r)
		return nil
	}))
}

func (a *apart) Call(ctx context.Context, session, name string, arguments []byte) (out mcp.Result, err error) {
	if session == "" {
		return out, &mcp.Error{Code: mcp.InvalidParams, Message: "session_id is needed; openenv/session/create gives one"}
	}
	err = a.s.held.use(ctx, a.environment, session, func(r *room) error {
		if out, err = act(r.episode, name, arguments); out.Done {
			a.s.held.finished(r)
		}
		return err
	})
	return out, told(err)
}

// bound is a host on a connection, whose episode is the only one.
type bound struct{ c *connection }

func (b *bound) Tools(ctx context.Context) ([]mcp.Tool, error) {
	return b.c.s.tools(ctx, b.c.environment)
}

// Create begins an episode where none runs; else it names the one that runs.
func (b *bound) Create(_ context.Context, params []byte) (session, text string, err error) {
	st, err := b.c.episode.State()
	if err != nil {
		return "", "", err
	}
	if st.GetPhase() == "running" {
		return st.GetEpisodeId(), "", nil
	}
	r, bad := readReset(params, b.c.environment)
	if bad != nil {
		return "", "", told(bad)
	}
	var o *verifierv1.Observation
	if o, err = b.c.episode.Reset(r); err != nil {
		return "", "", told(err)
	}
	return o.GetEpisodeId(), o.GetText(), nil
}

func (b *bound) Close(context.Context, string) error {
	return &mcp.Error{Code: mcp.InvalidRequest, Message: "the session is this connection's, and ends with it"}
}

func (b *bound) Call(_ context.Context, session, name string, arguments []byte) (mcp.Result, error) {
	if session != "" {
		st, err := b.c.episode.State()
		if err != nil {
			return mcp.Result{}, err
		}
		if st.GetEpisodeId() != session {
			return mcp.Result{}, &mcp.Error{Code: mcp.InvalidParams, Message: "that session is not this connection's"}
		}
	}
	out, err := act(b.c.episode, name, arguments)
	return out, told(err)
}
