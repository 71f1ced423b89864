package openenv

import (
	"errors"
	"io"
	"net/http"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/gateway/openenv/episode"
)

// body reads a request.
func body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, &failure{code: validationError, message: "a request has at most 1 MiB"}
	}
	return b, err
}

// reset begins an episode and keeps it under its id. With the id of an episode that is open it begins another one there.
func (s *Server) reset(w http.ResponseWriter, r *http.Request) {
	raw, err := body(w, r)
	if err != nil {
		fail(w, err)
		return
	}
	if len(raw) == 0 {
		raw = nil
	}
	q, bad := readReset(raw, s.environment(r))
	if bad != nil {
		fail(w, bad)
		return
	}
	if _, err := s.find(r.Context(), s.environment(r)); err != nil {
		fail(w, err)
		return
	}
	var o *verifierv1.Observation
	begin := func(e *episode.Episode) (string, error) {
		var err error
		o, err = e.Reset(q)
		return o.GetEpisodeId(), err
	}
	if s.held.has(q.GetEpisodeId()) {
		err = s.held.use(r.Context(), s.environment(r), q.GetEpisodeId(), func(room *room) error {
			_, err := begin(room.episode)
			return err
		})
	} else {
		err = s.held.make(r.Context(), s.environment(r), begin)
	}
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, observedOf(o))
}

func (h *held) has(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.open[id] != nil
}

// step acts in an episode that reset began.
func (s *Server) step(w http.ResponseWriter, r *http.Request) {
	raw, err := body(w, r)
	if err != nil {
		fail(w, err)
		return
	}
	m, bad := members(raw, "a step", "action", "episode_id", "timeout_s", "request_id")
	if bad != nil {
		fail(w, bad)
		return
	}
	if !null(m["timeout_s"]) {
		fail(w, &failure{code: validationError, message: "timeout_s cannot be set: the environment says how long a tool may take"})
		return
	}
	id, bad := text(m, "episode_id", 128)
	if bad == nil && id == "" {
		bad = &failure{code: validationError, message: "a step over HTTP has the episode_id that /reset gave; over /ws it needs none"}
	}
	var action []byte
	if bad == nil {
		action, bad = readAction(m["action"])
	}
	if bad != nil {
		fail(w, bad)
		return
	}
	var o *verifierv1.Observation
	err = s.held.use(r.Context(), s.environment(r), id, func(room *room) error {
		var err error
		if o, err = room.episode.Step(action); o.GetDone() {
			s.held.finished(room)
		}
		return err
	})
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, observedOf(o))
}

// state tells where an episode stands; without an id it is that of an environment in which nothing has begun.
func (s *Server) state(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("episode_id")
	if id == "" {
		if _, err := s.find(r.Context(), s.environment(r)); err != nil {
			fail(w, err)
			return
		}
		answer(w, http.StatusOK, state{Phase: "created"})
		return
	}
	var st *verifierv1.EpisodeState
	err := s.held.use(r.Context(), s.environment(r), id, func(room *room) error {
		var err error
		st, err = room.episode.State()
		return err
	})
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, stateOf(st))
}
