package env

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/provenir/provenir/services/verifier/toolcall"
)

// grace is how long a tool may take to notice that its time is over.
const grace = time.Second

// errTooLong is what a policy is told of a tool that took too long.
var errTooLong = errors.New("the tool took too long; nothing was changed")

type acted struct {
	text string
	err  error
}

// call runs one tool within its limit. A tool that panics, or goes on after its context has ended, is broken: its world
// can no longer be trusted, and the fault is not the policy's.
func (s *Session) call(ctx context.Context, c toolcall.Call) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan acted, 1)
	world := s.world
	go func() {
		var a acted
		defer func() {
			if r := recover(); r != nil {
				a = acted{err: fmt.Errorf("%w: %s panicked: %v", ErrBroken, c.Name, r)}
			}
			done <- a
		}()
		a.text, a.err = world.Act(ctx, c.Name, c.Arguments)
	}()
	limit := s.clock.NewTimer(s.env.ToolLimit)
	defer limit.Stop()
	select {
	case a := <-done:
		return a.text, a.err
	case <-limit.C():
	case <-ctx.Done():
	}
	late := ctx.Err() == nil
	cancel()
	last := s.clock.NewTimer(grace)
	defer last.Stop()
	select {
	case a := <-done:
		if late && a.err != nil && !errors.Is(a.err, ErrBroken) {
			a.err = errTooLong
		}
		return a.text, a.err
	case <-last.C():
		return "", fmt.Errorf("%w: %s goes on after its time", ErrBroken, c.Name)
	}
}
