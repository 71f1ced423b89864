package plugin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/verdict"
)

const (
	handshakeWithin = 10 * time.Second
	maxHandshake    = 256 // bytes of a line
	healthEvery     = 10 * time.Second
	healthWithin    = 5 * time.Second
)

// runner is one plugin, running or not.
type runner struct {
	name string
	cfg  Config
	deps Deps
	mu   guarded
	busy sync.WaitGroup // of goroutines that end with a process
}

// incarnation is one process of a plugin.
type incarnation struct {
	process Process
	socket  Listener
	conn    *grpc.ClientConn
	stop    chan struct{} // ends the watch
}

// Client gives the connection to the plugin, which is started where it does not run.
func (r *runner) Client(ctx context.Context) (verifierv1.VerifierServiceClient, func(sound bool), error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.mu.now
	if i != nil && dead(i) {
		r.failed(i, "it ended: "+i.process.Said())
		i = nil
	}
	switch now := r.deps.Clock.Now(); {
	case r.mu.closed:
		return nil, nil, &notStarted{r.name, verdict.RemoteError, errors.New("the verifier is stopping")}
	case i == nil && now.Before(r.mu.notUntil):
		return nil, nil, &notStarted{r.name, verdict.RemoteError, fmt.Errorf("it failed %d times in a row and is started again in %v", r.mu.failures, r.mu.notUntil.Sub(now))}
	case i == nil:
		var err error
		if i, err = r.start(ctx); err != nil {
			return nil, nil, err
		}
	}
	return verifierv1.NewVerifierServiceClient(i.conn), func(sound bool) { r.told(i, sound) }, nil
}

func dead(i *incarnation) bool {
	select {
	case <-i.process.Done():
		return true
	default:
		return false
	}
}

// start starts the plugin; a failure of the plugin's counts, one of the machine's or the caller's does not.
func (r *runner) start(ctx context.Context) (*incarnation, error) {
	i, err := r.launch(ctx)
	if err == nil {
		r.mu.now = i
		r.busy.Go(func() { r.watch(i) })
		return i, nil
	}
	reason := verdict.RemoteError
	var isolation *sandbox.IsolationError
	if errors.As(err, &isolation) {
		reason = verdict.IsolationUnavailable
	} else if ctx.Err() == nil {
		r.count(err.Error())
	}
	return nil, &notStarted{r.name, reason, err}
}

func (r *runner) launch(ctx context.Context) (*incarnation, error) {
	socket, err := listen()
	if err != nil {
		return nil, err
	}
	p, err := r.deps.Launch(ctx, r.cfg, socket)
	socket.File.Close() // the plugin has its own; so a dead one refuses at once
	if err != nil {
		return nil, errors.Join(err, socket.close())
	}
	i := &incarnation{process: p, socket: socket, stop: make(chan struct{})}
	if err := r.greet(ctx, p); err != nil {
		p.Kill()
		return nil, errors.Join(fmt.Errorf("%w: %s", err, p.Said()), socket.close())
	}
	if i.conn, err = dial(socket.Path); err != nil {
		p.Kill()
		return nil, errors.Join(err, socket.close())
	}
	return i, nil
}

// greet waits for the line; what comes after it is read and forgotten, so that a plugin may print.
func (r *runner) greet(ctx context.Context, p Process) error {
	line := make(chan string, 1)
	r.busy.Go(func() { // ends with the process at the latest
		b := bufio.NewReaderSize(p.Stdout(), maxHandshake)
		said, _, _ := b.ReadLine()
		line <- string(said)
		_, _ = io.Copy(io.Discard, b)
	})
	t := r.deps.Clock.NewTimer(handshakeWithin)
	defer t.Stop()
	select {
	case said := <-line:
		if strings.TrimSpace(said) != Handshake {
			return fmt.Errorf("its first line is %.80q, want %q", said, Handshake)
		}
		return nil
	case <-t.C():
		return fmt.Errorf("it did not say %q within %v", Handshake, handshakeWithin)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// told hears of each answer. One that is not sound ends the process: nobody knows what state it is in.
func (r *runner) told(i *incarnation, sound bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.mu.now != i: // of a process that is gone already
	case sound:
		r.mu.failures = 0
	default:
		r.failed(i, "an answer did not come in time or cannot be one")
	}
}

// failed ends a process and counts it.
func (r *runner) failed(i *incarnation, why string) {
	r.mu.now = nil
	r.count(why)
	i.end(r)
}

func (r *runner) count(why string) {
	r.mu.failures++
	wait := pause(r.mu.failures)
	r.mu.notUntil = r.deps.Clock.Now().Add(wait)
	r.deps.Log.Warn("a plugin failed; the next question starts it again after a pause", "plugin", r.name, "failures", r.mu.failures, "pause", wait.String(), "cause", why)
}

func (i *incarnation) end(r *runner) {
	close(i.stop)
	i.process.Kill()
	if err := errors.Join(i.conn.Close(), i.socket.close()); err != nil {
		r.deps.Log.Warn("a plugin's socket is left", "plugin", r.name, "error", err.Error())
	}
}

// watch asks a plugin that nobody asks whether it still answers.
func (r *runner) watch(i *incarnation) {
	for {
		t := r.deps.Clock.NewTimer(healthEvery)
		select {
		case <-i.stop:
			t.Stop()
			return
		case <-i.process.Done():
			t.Stop()
			r.told(i, false)
			return
		case <-t.C():
		}
		ctx, cancel := context.WithTimeout(context.Background(), healthWithin)
		_, err := verifierv1.NewVerifierServiceClient(i.conn).ListVerifiers(ctx, &verifierv1.ListVerifiersRequest{})
		cancel()
		if err != nil {
			r.told(i, false)
			return
		}
	}
}

func (r *runner) close() {
	r.mu.Lock()
	r.mu.closed = true
	i := r.mu.now
	r.mu.now = nil
	r.mu.Unlock()
	if i != nil {
		i.end(r)
	}
	r.busy.Wait()
}
