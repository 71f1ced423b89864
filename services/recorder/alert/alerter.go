package alert

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/store"
)

// Deps are the neighbours of the sinks.
type Deps struct {
	DB     *store.DB              // migrated with Migrations
	News   func() <-chan struct{} // closes at the next anomaly in the tables
	Env    func(string) (string, bool)
	Random func() float64 // in [0, 1), for waits
	Clock  clock.Clock
	Log    *slog.Logger
	Counts Counts
}

// callTime is how long one call may take, its answer included.
const callTime = 5 * time.Second

// Alerter holds the workers.
type Alerter struct{ workers []*worker }

// New reads secrets and checks the sinks; it sends nothing.
func New(sinks []Sink, d Deps) (*Alerter, error) {
	return newAlerter(sinks, d, callTime, public)
}

func newAlerter(sinks []Sink, d Deps, timeout time.Duration, reachable func(netip.Addr) bool) (*Alerter, error) {
	a := &Alerter{}
	for _, s := range sinks {
		s, err := s.resolve(d.Env)
		if err != nil {
			return nil, err
		}
		allowed := reachable
		if s.AllowPrivate {
			allowed = func(netip.Addr) bool { return true }
		}
		a.workers = append(a.workers, &worker{d: d, sink: &s, queue: &queue{d.DB, &s}, client: newClient(allowed, timeout)})
	}
	return a, nil
}

// Begin comes before anything can be found, so that a sink that is new misses nothing from now on.
func (a *Alerter) Begin(ctx context.Context) error {
	for _, w := range a.workers {
		if err := w.begin(ctx); err != nil {
			return fmt.Errorf("alert sink %s: %w", w.sink.Name, err)
		}
	}
	return nil
}

// Run sends until ctx ends.
func (a *Alerter) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, w := range a.workers {
		g.Go(func() error { return w.run(ctx) })
	}
	return g.Wait()
}
