package openenv

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/gateway/openenv/episode"
)

// held are the environments of callers who come back, over HTTP or MCP: by the id of the episode that they were given.
type held struct {
	s    *Server
	mu   sync.Mutex
	open map[string]*room
	over map[string][sha256.Size]byte // owners of episodes that have ended: their slots are free, and a late step is told so
	ring []string                     // ids of over in their order
	end  bool
}

// remembered is how many ended episodes are known by name.
const remembered = 4096

// room is one of them.
type room struct {
	id          string
	environment string
	owner       [sha256.Size]byte // of the credential; an id alone opens nothing
	episode     *episode.Episode
	turn        chan struct{} // held by whoever acts: one command at a time
	used        time.Time     // guarded by held.mu
}

func newHeld(s *Server) *held {
	return &held{s: s, open: map[string]*room{}, over: map[string][sha256.Size]byte{}}
}

func owner(ctx context.Context) [sha256.Size]byte {
	md, _ := metadata.FromOutgoingContext(ctx)
	var a string
	if v := md.Get("authorization"); len(v) > 0 {
		a = v[0]
	}
	return sha256.Sum256([]byte(a))
}

// make opens an environment that outlives the request. begin resets it and gives the id under which it is kept.
func (h *held) make(ctx context.Context, environment string, begin func(*episode.Episode) (string, error)) error {
	if !h.s.enter() {
		return h.s.full()
	}
	e, err := episode.Open(context.WithoutCancel(ctx), h.s.d.Verifier)
	if err != nil {
		h.s.leave()
		return err
	}
	id, err := begin(e)
	if err == nil {
		err = h.add(&room{id: id, environment: environment, owner: owner(ctx), episode: e, turn: make(chan struct{}, 1), used: h.s.d.Clock.Now()})
	}
	if err != nil {
		e.Drop()
		h.s.leave()
	}
	return err
}

func (h *held) add(r *room) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.end {
		return rpc.Errorf(codes.Unavailable, corev1.ErrorReason_ERROR_REASON_NOT_READY, "the gateway is stopping")
	}
	if h.open[r.id] != nil {
		return &failure{code: validationError, message: "an episode of that episode_id is open; take another name, or none"}
	}
	h.open[r.id] = r
	delete(h.over, r.id)
	return nil
}

// use acts in an environment, after whoever acts in it now.
func (h *held) use(ctx context.Context, environment, id string, act func(*room) error) error {
	h.mu.Lock()
	r := h.open[id]
	by, over := h.over[id]
	h.mu.Unlock()
	if r == nil && over && by == owner(ctx) {
		return &episode.Problem{Reason: rpc.Short(corev1.ErrorReason_ERROR_REASON_EPISODE_OVER), Detail: "the episode is over; reset begins another one"}
	}
	if r == nil || r.environment != environment || r.owner != owner(ctx) {
		return rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "no open episode %.80q; reset begins one, and one that nobody used for %s is closed",
			id, h.s.cfg.Idle)
	}
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-r.turn }()
	err := act(r)
	var p *episode.Problem
	var f *failure
	if err != nil && !errors.As(err, &p) && !errors.As(err, &f) { // its stream has ended
		h.drop(r)
		return err
	}
	h.mu.Lock()
	r.used = h.s.d.Clock.Now()
	h.mu.Unlock()
	return err
}

// finished frees the slot of an episode that has ended, and remembers its name.
func (h *held) finished(r *room) {
	h.drop(r)
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, known := h.over[r.id]; !known {
		h.ring = append(h.ring, r.id)
	}
	h.over[r.id] = r.owner
	if len(h.ring) > remembered {
		delete(h.over, h.ring[0])
		h.ring = h.ring[1:]
	}
}

// drop closes an environment and frees its slot, once.
func (h *held) drop(r *room) {
	h.mu.Lock()
	there := h.open[r.id] == r
	if there {
		delete(h.open, r.id)
	}
	h.mu.Unlock()
	if there {
		r.episode.Drop()
		h.s.leave()
	}
}

// run reaps what is idle.
func (h *held) run(ctx context.Context) error {
	for {
		t := h.s.d.Clock.NewTimer(h.s.cfg.Idle / 10)
		select {
		case <-ctx.Done():
			t.Stop()
			for _, r := range h.older(-1, true) {
				h.drop(r)
			}
			return ctx.Err()
		case <-t.C():
			for _, r := range h.older(h.s.cfg.Idle, false) {
				h.drop(r)
			}
		}
	}
}

func (h *held) older(than time.Duration, end bool) []*room {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.end = h.end || end
	var out []*room
	for _, r := range h.open {
		if h.s.d.Clock.Now().Sub(r.used) > than {
			out = append(out, r)
		}
	}
	return out
}
