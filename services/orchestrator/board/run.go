package board

import (
	"context"

	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	"github.com/provenir/provenir/internal/store"
)

// Run is the board of one run: what its owner sees of it.
type Run struct {
	b   *Board
	uid string
}

// Of gives the board of a run.
func (b *Board) Of(uid string) Run { return Run{b, uid} }

// Update changes the run, and what belongs to the change.
func (r Run) Update(ctx context.Context, f func(*orchestratorv1.Run), also ...func(store.Tx) error) error {
	return r.b.Update(ctx, r.uid, f, also...)
}

// Publish adds an event in the caller's transaction.
func (r Run) Publish(ctx context.Context, q store.Queryer, e *orchestratorv1.WatchRunResponse) error {
	return r.b.Publish(ctx, q, r.uid, e)
}

// Published wakes watchers.
func (r Run) Published() { r.b.Ring(r.uid) }

// Asked says what a person wants.
func (r Run) Asked(ctx context.Context) (string, error) { return r.b.Asked(ctx, r.uid) }

// Hold asks for a pause.
func (r Run) Hold(ctx context.Context) error { return r.b.Ask(ctx, r.uid, "pause") }

// Changed is closed at the next change.
func (r Run) Changed() <-chan struct{} { return r.b.Changed(r.uid) }
