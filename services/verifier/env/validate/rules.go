package validate

import (
	"context"
	"errors"
	"fmt"
)

// with opens an environment for one rule.
func with(ctx context.Context, t Target, try func(p Peer) error) error {
	p, err := t.Open(ctx)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer p.Drop()
	return try(p)
}

func resetBegins(ctx context.Context, t Target) error {
	return with(ctx, t, func(p Peer) error {
		o, err := p.Reset(ctx, 1, "")
		if err != nil {
			return fmt.Errorf("reset: %w", err)
		}
		if o.Done {
			return fmt.Errorf("reset gives an episode that is over: %v", o)
		}
		return nil
	})
}

func keepsID(ctx context.Context, t Target) error {
	return with(ctx, t, func(p Peer) error {
		const id = "validate-1"
		if _, err := p.Reset(ctx, 1, id); err != nil {
			return err
		}
		s, err := p.State(ctx)
		if err == nil && s.Episode != id {
			err = fmt.Errorf("the episode was named %q, its state says %q", id, s.Episode)
		}
		return err
	})
}

func countsSteps(ctx context.Context, t Target) error {
	valid, _, err := t.Actions(ctx)
	if err != nil {
		return err
	}
	return with(ctx, t, func(p Peer) error {
		if _, err := p.Reset(ctx, 1, ""); err != nil {
			return err
		}
		for want := range uint64(2) {
			s, err := p.State(ctx)
			if err != nil {
				return err
			}
			if s.Steps != want {
				return fmt.Errorf("the state counts %d steps after %d", s.Steps, want)
			}
			if want == 0 {
				if _, err := p.Step(ctx, valid); err != nil {
					return fmt.Errorf("a valid action %s: %w", valid, err)
				}
			}
		}
		return nil
	})
}

// play is a reset and up to n valid steps.
func play(ctx context.Context, p Peer, seed uint64, action []byte, n int) ([]Seen, error) {
	o, err := p.Reset(ctx, seed, "")
	if err != nil {
		return nil, err
	}
	out := []Seen{o}
	for range n {
		if o.Done {
			break
		}
		if o, err = p.Step(ctx, action); err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

func same(a, b []Seen) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d observations, then %d", len(a), len(b))
	}
	for i := range a {
		if !a[i].equal(b[i]) {
			return fmt.Errorf("observation %d is %v, then %v", i, a[i], b[i])
		}
	}
	return nil
}

func deterministic(ctx context.Context, t Target) error {
	valid, _, err := t.Actions(ctx)
	if err != nil {
		return err
	}
	for seed := range uint64(3) {
		var first []Seen
		for i := range 2 {
			var now []Seen
			if err := with(ctx, t, func(p Peer) (err error) { now, err = play(ctx, p, seed, valid, 3); return err }); err != nil {
				return err
			}
			if i == 0 {
				first = now
			} else if err := same(first, now); err != nil {
				return fmt.Errorf("seed %d: %w", seed, err)
			}
		}
	}
	return nil
}

// isolates: what was done in one episode must not show in the next one of the same environment.
func isolates(ctx context.Context, t Target) error {
	valid, _, err := t.Actions(ctx)
	if err != nil {
		return err
	}
	return with(ctx, t, func(p Peer) error {
		first, err := play(ctx, p, 7, valid, 3)
		if err != nil {
			return err
		}
		again, err := play(ctx, p, 7, valid, 3)
		if err != nil {
			return err
		}
		return same(first, again)
	})
}

func secondReset(ctx context.Context, t Target) error {
	valid, _, err := t.Actions(ctx)
	if err != nil {
		return err
	}
	return with(ctx, t, func(p Peer) error {
		if _, err := play(ctx, p, 1, valid, 1); err != nil {
			return err
		}
		for range 2 {
			if o, err := p.Reset(ctx, 2, ""); err != nil || o.Done {
				return fmt.Errorf("reset over an episode: %v, %w", o, errOr(err))
			}
		}
		s, err := p.State(ctx)
		if err == nil && s.Steps != 0 {
			err = fmt.Errorf("%d steps after a reset", s.Steps)
		}
		return err
	})
}

var errOver = errors.New("it is over at once")

func errOr(err error) error {
	if err == nil {
		return errOver
	}
	return err
}
