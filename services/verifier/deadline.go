package verifier

import (
	"sync"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// deadlines are the jobs under way in the order in which they came, which is that of their deadlines.
type deadlines struct {
	mu     sync.Mutex
	jobs   []*job
	head   int // jobs before it are gone
	wake   chan struct{}
	closed bool
}

func (d *deadlines) add(j *job) {
	d.mu.Lock()
	d.jobs = append(d.jobs, j)
	alone := len(d.jobs)-d.head == 1
	d.mu.Unlock()
	if alone {
		d.ring()
	}
}

func (d *deadlines) ring() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// finished forgets a job, and those before it that are done.
func (d *deadlines) finished(j *job) {
	j.done.Store(true)
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.head < len(d.jobs) && d.jobs[d.head].done.Load() {
		d.jobs[d.head] = nil
		d.head++
	}
	if d.head == len(d.jobs) {
		d.jobs, d.head = d.jobs[:0], 0
	} else if d.head > 1024 {
		d.jobs, d.head = append(d.jobs[:0], d.jobs[d.head:]...), 0
	}
}

// oldest gives the job whose deadline comes first.
func (d *deadlines) oldest() (j *job, closed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := d.head; i < len(d.jobs); i++ {
		if d.jobs[i] != nil && !d.jobs[i].done.Load() {
			return d.jobs[i], d.closed
		}
	}
	return nil, d.closed
}

// find looks for an item.
func (d *deadlines) find(seq uint64) (*job, int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, j := range d.jobs[d.head:] {
		for i, item := range j.items {
			if item.GetSeq() == seq {
				return j, i
			}
		}
	}
	return nil, 0
}

func (d *deadlines) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.ring()
}

// watch answers for items whose deadline has passed, on time, whatever their worker is doing.
func (p *pump) watch() {
	for {
		j, closed := p.open.oldest()
		if closed {
			return
		}
		if j == nil {
			select {
			case <-p.open.wake:
			case <-p.ctx.Done():
				return
			}
			continue
		}
		timer := p.s.clock.NewTimer(j.due.Sub(p.s.clock.Now()))
		select {
		case <-timer.C():
			p.expire(j)
		case <-p.open.wake:
		case <-p.ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

func (p *pump) expire(j *job) {
	var verdicts []sized
	for i := range j.items {
		if v, ok := p.claim(j, i, late(p.spec.Name)); ok {
			verdicts = append(verdicts, v)
		}
	}
	j.done.Store(true)
	p.answer(verdicts, nil)
}

// cancelItem drops an item that has no verdict yet. It is answered too: credit comes back with answers.
func (p *pump) cancelItem(seq uint64) {
	j, i := p.open.find(seq)
	if j == nil {
		return
	}
	v := verdict.Unscore(p.spec.Name, verdict.Cancelled, "the caller cancelled it")
	v.Note(findingTimeDependent, verdict.Info, "cancel")
	if answer, ok := p.claim(j, i, v); ok {
		p.answer([]sized{answer}, nil)
	}
}

// claim answers for an item in place of its worker, unless the worker was faster.
func (p *pump) claim(j *job, i int, v verdict.Verdict) (sized, bool) {
	if !j.state[i].CompareAndSwap(pending, claimed) {
		return sized{}, false
	}
	m := j.items[i]
	full, err := p.s.finish(&v, &verdict.Candidate{ID: m.GetRolloutId()}, p.spec, digestOf(m.GetRollout()))
	var answer *verifierv1.VerdictItem
	if err == nil {
		answer, err = item(full)
	}
	if err != nil {
		p.cancel(err)
		return sized{}, false
	}
	answer.Seq = m.GetSeq()
	answer.Measured = measure(p.s.clock.Now().Sub(j.since), 0)
	return sized{answer, int64(len(m.GetRollout()))}, true
}
