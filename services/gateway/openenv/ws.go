package openenv

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/coder/websocket"

	"github.com/provenir/provenir/services/gateway/openenv/episode"
)

// ahead is how many messages a client may send before it has the answer to the last: replies carry no id, so whoever
// sends more does not wait for any.
const ahead = 2

// ws serves one environment over one connection.
func (s *Server) ws(w http.ResponseWriter, r *http.Request) {
	if _, err := s.find(r.Context(), s.environment(r)); err != nil {
		fail(w, err) // before the upgrade: a browser and a proxy understand a status
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = conn.CloseNow() }() // closed already, unless something failed
	conn.SetReadLimit(maxMessage)
	if !s.enter() {
		refuse(r.Context(), conn, s.full())
		return
	}
	defer s.leave()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	e, err := episode.Open(ctx, s.d.Verifier)
	if err != nil {
		f := failureOf(err)
		if f.code == sessionError {
			f.code = factoryError
		}
		refuse(ctx, conn, f)
		return
	}
	defer e.Drop()
	c := &connection{s: s, conn: conn, episode: e, environment: s.environment(r), in: make(chan []byte, ahead)}
	c.serve(ctx, cancel)
}

func refuse(ctx context.Context, conn *websocket.Conn, f *failure) {
	if conn.Write(ctx, websocket.MessageText, written(envelope{"error", errorData{f.message, f.code}})) == nil {
		_ = conn.Close(closingStatus(f), string(f.code)) // the client may have gone
	}
}

func closingStatus(f *failure) websocket.StatusCode {
	if f.code == capacityReached {
		return websocket.StatusTryAgainLater
	}
	return websocket.StatusInternalError
}

// connection is one client and its episode. Its reader never waits for the episode, so that a client that goes away is
// noticed while a tool runs, and its slot is free at once.
type connection struct {
	s           *Server
	conn        *websocket.Conn
	episode     *episode.Episode
	environment string
	in          chan []byte
}

var errAhead = errors.New("too many messages without waiting for an answer")

func (c *connection) serve(ctx context.Context, cancel context.CancelFunc) {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer func() { _ = c.conn.CloseNow() }() // ends the reader
	defer cancel()
	tasks.Go(func() {
		defer cancel()
		if errors.Is(c.read(ctx), errAhead) {
			_ = c.conn.Close(websocket.StatusPolicyViolation, errAhead.Error())
		}
	})
	tasks.Go(func() {
		defer cancel()
		c.ping(ctx)
	})
	for {
		idle := c.s.d.Clock.NewTimer(c.s.cfg.Idle)
		select {
		case <-ctx.Done():
			idle.Stop()
			return
		case <-idle.C():
			refuse(ctx, c.conn, &failure{code: sessionError, message: "nothing came for " + c.s.cfg.Idle.String()})
			return
		case raw := <-c.in:
			idle.Stop()
			if !c.answer(ctx, raw) {
				return
			}
		}
	}
}

// read passes messages on until the connection ends.
func (c *connection) read(ctx context.Context) error {
	for {
		_, raw, err := c.conn.Read(ctx)
		if err != nil {
			return err
		}
		select {
		case c.in <- raw:
		default:
			return errAhead
		}
	}
}

// ping finds out about clients that are gone without a word. OpenEnv's own server does the same.
func (c *connection) ping(ctx context.Context) {
	for {
		t := c.s.d.Clock.NewTimer(c.s.cfg.Ping)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C():
		}
		wait, cancel := context.WithTimeout(ctx, c.s.cfg.Ping)
		err := c.conn.Ping(wait)
		cancel()
		if err != nil {
			return
		}
	}
}

// answer carries out one message; false ends the connection.
func (c *connection) answer(ctx context.Context, raw []byte) bool {
	reply, f := c.do(ctx, raw)
	switch {
	case f != nil && f.fatal:
		refuse(ctx, c.conn, f)
		return false
	case f != nil:
		reply = &envelope{"error", errorData{f.message, f.code}}
	case reply == nil: // close
		_ = c.conn.Close(websocket.StatusNormalClosure, "") // the client may have gone
		return false
	}
	return c.conn.Write(ctx, websocket.MessageText, written(reply)) == nil
}
