package sandbox

import (
	"errors"
	"io"
	"os"
	"time"
)

// drain reads a job's stream to its end. It keeps the first bytes and counts the rest: a buffer that only keeps would
// either grow without bound or stop the job in the middle of a write.
type drain struct {
	r       *os.File
	held    bool // somebody held the stream open after the job's death
	done    chan struct{}
	keep    int
	cap     int64 // over it, the job has written too much
	kept    []byte
	total   int64
	overrun func() // called once at twice the cap
}

// startDrain reads r until it ends, in a goroutine; done says when.
func startDrain(r *os.File, keep int, limit int64, overrun func()) *drain {
	d := &drain{r: r, done: make(chan struct{}), keep: keep, cap: limit, overrun: overrun}
	go func() {
		defer close(d.done)
		d.held = errors.Is(d.run(r), os.ErrDeadlineExceeded)
	}()
	return d
}

// finish waits for the end of the stream of a job that is dead. All who could write to it are dead too, so it comes at once;
// the deadline is for a mistake of ours.
func (d *drain) finish() error {
	defer d.r.Close()
	if err := d.r.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return err
	}
	<-d.done
	if d.held {
		return errors.New("the stream of a dead job is held open")
	}
	return nil
}

func (d *drain) run(r io.Reader) error {
	var buf [16 << 10]byte
	for {
		n, err := r.Read(buf[:])
		if room := d.keep - len(d.kept); room > 0 {
			d.kept = append(d.kept, buf[:min(n, room)]...)
		}
		before := d.total
		d.total += int64(n)
		if before <= 2*d.cap && d.total > 2*d.cap {
			d.overrun()
		}
		if err != nil {
			return err
		}
	}
}

// over says that the stream was longer than allowed, and truncated that it was longer than kept. Both only after done.
func (d *drain) over() bool      { return d.total > d.cap }
func (d *drain) truncated() bool { return d.total > int64(len(d.kept)) }
