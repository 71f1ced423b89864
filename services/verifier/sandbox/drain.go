package sandbox

import (
	"io"
	"os"
)

// drain reads a job's stream to its end. It keeps the first bytes and counts the rest: a buffer that only keeps would
// either grow without bound or stop the job in the middle of a write.
type drain struct {
	done    chan struct{}
	keep    int
	cap     int64 // over it, the job has written too much
	kept    []byte
	total   int64
	overrun func() // called once at twice the cap
}

// startDrain reads r until it ends, in a goroutine; done says when.
func startDrain(r *os.File, keep int, limit int64, overrun func()) *drain {
	d := &drain{done: make(chan struct{}), keep: keep, cap: limit, overrun: overrun}
	go func() {
		defer close(d.done)
		defer r.Close()
		d.run(r)
	}()
	return d
}

func (d *drain) run(r io.Reader) {
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
			return
		}
	}
}

// over says that the stream was longer than allowed, and truncated that it was longer than kept. Both only after done.
func (d *drain) over() bool      { return d.total > d.cap }
func (d *drain) truncated() bool { return d.total > int64(len(d.kept)) }
