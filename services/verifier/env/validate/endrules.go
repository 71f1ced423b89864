package validate

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// badAction: what is no action is refused, or is an observation that says so; it ends nothing and is not paid.
func badAction(ctx context.Context, t Target) error {
	_, wrong, err := t.Actions(ctx)
	if err != nil {
		return err
	}
	for _, action := range wrong {
		err := with(ctx, t, func(p Peer) error {
			if _, err := p.Reset(ctx, 1, ""); err != nil {
				return err
			}
			return refuses(ctx, p, action)
		})
		if err != nil {
			return fmt.Errorf("action %.80s: %w", action, err)
		}
	}
	return nil
}

func refuses(ctx context.Context, p Peer, action []byte) error {
	o, err := p.Step(ctx, action)
	var r *Refused
	switch {
	case errors.As(err, &r):
		return nil
	case err != nil:
		return err
	case !o.Error || o.Done || o.Reward != nil && *o.Reward > 0:
		return fmt.Errorf("it was taken: %v", o)
	}
	return nil
}

func goesOn(ctx context.Context, t Target) error {
	valid, wrong, err := t.Actions(ctx)
	if err != nil {
		return err
	}
	return with(ctx, t, func(p Peer) error {
		if _, err := p.Reset(ctx, 1, ""); err != nil {
			return err
		}
		if err := refuses(ctx, p, wrong[0]); err != nil {
			return err
		}
		if _, err := p.State(ctx); err != nil {
			return fmt.Errorf("state after an error: %w", err)
		}
		if _, err := p.Step(ctx, valid); err != nil {
			return fmt.Errorf("a valid action after an error: %w", err)
		}
		return nil
	})
}

// toEnd plays until the episode is over.
func toEnd(ctx context.Context, p Peer, action []byte) ([]Seen, error) {
	seen, err := play(ctx, p, 1, action, mostSteps)
	if err == nil && !seen[len(seen)-1].Done {
		err = &Unchecked{fmt.Sprintf("no end came in %d steps with the action %.80s", mostSteps, action)}
	}
	return seen, err
}

func stepAfterEnd(ctx context.Context, t Target) error {
	valid, _, err := t.Actions(ctx)
	if err != nil {
		return err
	}
	return with(ctx, t, func(p Peer) error {
		if _, err := toEnd(ctx, p, valid); err != nil {
			return err
		}
		o, err := p.Step(ctx, valid)
		var r *Refused
		if errors.As(err, &r) {
			_, err = p.Reset(ctx, 1, "") // and the next episode begins
			return err
		}
		if err != nil {
			return fmt.Errorf("a step after the end: %w", err)
		}
		return fmt.Errorf("a step after the end was taken: %v", o)
	})
}

func finite(ctx context.Context, t Target) error {
	valid, _, err := t.Actions(ctx)
	if err != nil {
		return err
	}
	return with(ctx, t, func(p Peer) error {
		seen, err := play(ctx, p, 1, valid, mostSteps)
		for _, o := range seen {
			if o.Reward != nil && (math.IsNaN(*o.Reward) || math.IsInf(*o.Reward, 0)) {
				return fmt.Errorf("%v", o)
			}
		}
		return err
	})
}

func truncatedIsDone(ctx context.Context, t Target) error {
	valid, wrong, err := t.Actions(ctx)
	if err != nil {
		return err
	}
	for _, action := range append([][]byte{valid}, wrong...) {
		err := with(ctx, t, func(p Peer) error {
			o, err := p.Reset(ctx, 1, "")
			for range mostSteps {
				if err != nil || o.Done {
					break
				}
				if o.Truncated {
					return fmt.Errorf("truncated and not done: %v", o)
				}
				o, err = p.Step(ctx, action)
			}
			var r *Refused
			if errors.As(err, &r) {
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func closes(ctx context.Context, t Target) error {
	return with(ctx, t, func(p Peer) error {
		if _, err := p.Reset(ctx, 1, ""); err != nil {
			return err
		}
		if err := p.Close(ctx); err != nil {
			return fmt.Errorf("close: %w", err)
		}
		if o, err := p.Reset(ctx, 1, ""); err == nil {
			return fmt.Errorf("after close an episode begins: %v", o)
		}
		return nil
	})
}
