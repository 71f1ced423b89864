package recorder

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/services/recorder/hack"
)

// inspectors judge the rows of a message side by side: a row knows of no other one, and groups are made of the results in
// their order.
type inspectors struct {
	each  []*hack.Inspector
	judge func(*hack.Inspector, *hack.Row) hack.Result
}

func newInspectors() *inspectors {
	in := &inspectors{each: make([]*hack.Inspector, runtime.GOMAXPROCS(0)), judge: (*hack.Inspector).Inspect}
	for i := range in.each {
		in.each[i] = hack.NewInspector()
	}
	return in
}

// inspected is a row with its result, or why it cannot be used.
type inspected struct {
	row    *hack.Row
	result hack.Result
	why    string
}

// inspect gives the rows' results in their order.
func (in *inspectors) inspect(rows []*recorderv1.Trajectory) []inspected {
	out := make([]inspected, len(rows))
	var next atomic.Int64
	work := func(k int) {
		for i := next.Add(1) - 1; i < int64(len(rows)); i = next.Add(1) - 1 {
			out[i] = in.one(k, rows[i])
		}
	}
	var others sync.WaitGroup
	for k := 1; k < min(len(in.each), len(rows)); k++ {
		others.Go(func() { work(k) })
	}
	work(0)
	others.Wait()
	return out
}

// one judges a row. A row that the inspection fails on is an error of that row: nothing else may fall with it.
func (in *inspectors) one(k int, t *recorderv1.Trajectory) (r inspected) {
	defer func() {
		if cause := recover(); cause != nil {
			in.each[k] = hack.NewInspector() // it may hold a half
			r.why = fmt.Sprintf("the inspection failed on this row, which is not judged; please report it: %v", cause)
		}
	}()
	if r.row, r.why = rowOf(t); r.why == "" {
		r.result = in.judge(in.each[k], r.row)
	}
	return r
}
