// Package lifecycle runs the long-lived functions of a process: started in order, stopped in reverse.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Task is something long-running: it returns when ctx ends, or earlier with an error.
type Task struct {
	Name string
	Run  func(ctx context.Context) error
}

// Group runs tasks and stops them last to first. The first task that fails stops the others.
type Group struct {
	mu      sync.Mutex
	running []*running
	failed  chan error // holds the first failure
	grace   time.Duration
}

type running struct {
	name   string
	cancel context.CancelFunc
	done   chan error
}

// NewGroup gives each task grace to return once it was told to.
func NewGroup(grace time.Duration) *Group {
	return &Group{failed: make(chan error, 1), grace: grace}
}

// Start begins a task. Its context does not end with the caller's: Stop ends tasks in order.
func (g *Group) Start(ctx context.Context, t Task) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &running{name: t.Name, cancel: cancel, done: make(chan error, 1)}
	g.mu.Lock()
	g.running = append(g.running, r)
	g.mu.Unlock()
	go func() {
		err := t.Run(ctx)
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			err = nil // it was told to stop
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", t.Name, err)
			select {
			case g.failed <- err:
			default:
			}
		}
		r.done <- err
	}()
}

// Failed gives the first failure of a task, once.
func (g *Group) Failed() <-chan error { return g.failed }

// Stop ends the tasks, last started first, and joins their errors. A task that outlives its grace is named.
func (g *Group) Stop() error {
	g.mu.Lock()
	tasks := g.running
	g.running = nil
	g.mu.Unlock()
	var errs []error
	for i := len(tasks) - 1; i >= 0; i-- {
		r := tasks[i]
		r.cancel()
		timer := time.NewTimer(g.grace)
		select {
		case err := <-r.done:
			errs = append(errs, err)
		case <-timer.C:
			errs = append(errs, fmt.Errorf("%s did not stop within %s", r.name, g.grace))
		}
		timer.Stop()
	}
	return errors.Join(errs...)
}
