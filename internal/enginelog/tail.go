package enginelog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/provenir/provenir/internal/clock"
)

// Tail follows a log that is being written. Only whole lines count: what a writer has begun is read when it ends. A file
// that was replaced (another inode) or cut is read from its beginning, and OnRestart is told, because a run that begins
// anew in the same place is another attempt.
type Tail struct {
	Path      string
	Poll      time.Duration // between two looks; 500 ms
	Clock     clock.Clock
	OnRestart func(why string)

	file   *os.File
	offset int64
	line   uint64
	rest   []byte
}

// Run gives each line to take until ctx ends, and then nil. A file that is not there yet is waited for.
func (t *Tail) Run(ctx context.Context, take func(Row) error) error {
	if t.Clock == nil {
		t.Clock = clock.System{}
	}
	if t.Poll == 0 {
		t.Poll = 500 * time.Millisecond
	}
	defer func() {
		if t.file != nil {
			_ = t.file.Close() // it was only read
		}
	}()
	for {
		if err := t.look(take); err != nil {
			return err
		}
		timer := t.Clock.NewTimer(t.Poll)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C():
		}
	}
}

// look reads what is new.
func (t *Tail) look(take func(Row) error) error {
	now, err := os.Stat(t.Path)
	if errors.Is(err, os.ErrNotExist) {
		return nil // not there yet, or between the two steps of a rotation
	}
	if err != nil {
		return fmt.Errorf("follow the log: %w", err)
	}
	if t.file != nil {
		old, err := t.file.Stat()
		if err != nil {
			return fmt.Errorf("follow the log: %w", err)
		}
		switch {
		case !os.SameFile(old, now):
			if err := t.drain(take); err != nil { // the old one may have got its last lines after the look before
				return err
			}
			t.restart("another file is in its place")
		case now.Size() < t.offset:
			t.restart("it was cut")
		}
	}
	if t.file == nil {
		if t.file, err = os.Open(t.Path); err != nil {
			return fmt.Errorf("follow the log: %w", err)
		}
	}
	return t.drain(take)
}

func (t *Tail) restart(why string) {
	_ = t.file.Close() // it was only read
	t.file, t.offset, t.line, t.rest = nil, 0, 0, nil
	if t.OnRestart != nil {
		t.OnRestart(why)
	}
}

func (t *Tail) drain(take func(Row) error) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := t.file.ReadAt(buf, t.offset)
		t.offset += int64(n)
		t.rest = append(t.rest, buf[:n]...)
		for {
			line, rest, whole := bytes.Cut(t.rest, []byte("\n"))
			if !whole {
				break
			}
			t.rest = rest
			t.line++
			if err := t.give(line, take); err != nil {
				return err
			}
		}
		if len(t.rest) > MaxRow {
			t.rest = append(t.rest[:0], '!') // no row; its end will be refused as one
		}
		switch {
		case errors.Is(err, io.EOF):
			t.rest = bytes.Clone(t.rest) // let the buffer of what was read go
			return nil
		case err != nil:
			return fmt.Errorf("follow the log: %w", err)
		}
	}
}

func (t *Tail) give(line []byte, take func(Row) error) error {
	line = bytes.TrimSpace(line)
	switch {
	case len(line) == 0:
		return nil
	case line[0] == '{' || line[0] == '!':
		return take(Row{Line: t.line, JSON: bytes.Clone(line)})
	}
	row, ok, _ := console(line)
	if !ok {
		return nil
	}
	return take(Row{Line: t.line, JSON: row})
}
