package validate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// parallel plays episodes at once, step by step beside each other, and each must be as it is alone.
func parallel(ctx context.Context, t Target) error {
	valid, _, err := t.Actions(ctx)
	if err != nil {
		return err
	}
	alone := make([][]Seen, side)
	for i := range alone {
		if err := with(ctx, t, func(p Peer) (err error) { alone[i], err = play(ctx, p, uint64(i), valid, 3); return err }); err != nil {
			return err
		}
	}
	peers := make([]Peer, side)
	defer func() {
		for _, p := range peers {
			if p != nil {
				p.Drop()
			}
		}
	}()
	for i := range peers {
		if peers[i], err = t.Open(ctx); isFull(err) {
			return errSmall
		} else if err != nil {
			return err
		}
	}
	together := make([][]Seen, side)
	g, ctx := errgroup.WithContext(ctx)
	for i, p := range peers {
		g.Go(func() (err error) {
			together[i], err = play(ctx, p, uint64(i), valid, 3)
			return err
		})
	}
	if err := g.Wait(); isFull(err) {
		return errSmall
	} else if err != nil {
		return err
	}
	for i := range alone {
		if err := same(alone[i], together[i]); err != nil {
			return fmt.Errorf("seed %d, alone and among %d: %w", i, side, err)
		}
	}
	return nil
}

var errSmall = &Unchecked{fmt.Sprintf("it does not open %d environments at once", side)}

// isFull says that there is no room: a server says it when it is connected to, or in answer to the first message.
func isFull(err error) bool {
	var full *Refused
	return errors.As(err, &full) && full.Code == "CAPACITY_REACHED"
}

// freeWithin is how long a server may take to notice that a client is gone.
const freeWithin = 5 * time.Second

// noLeak opens and drops. A server that keeps the slots of those who went away is full sooner or later.
func noLeak(ctx context.Context, t Target) error {
	for i := range drops {
		if err := open(ctx, t); err != nil {
			return fmt.Errorf("after %d connections that were dropped: %w", i, err)
		}
	}
	return with(ctx, t, func(p Peer) error {
		_, err := p.Reset(ctx, 1, "")
		return err
	})
}

// open opens, begins and drops, and waits where there is no room yet.
func open(ctx context.Context, t Target) error {
	ctx, cancel := context.WithTimeout(ctx, freeWithin)
	defer cancel()
	for {
		err := with(ctx, t, func(p Peer) error {
			_, err := p.Reset(ctx, 1, "")
			return err
		})
		if !isFull(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}
