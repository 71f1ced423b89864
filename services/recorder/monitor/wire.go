package monitor

import (
	"encoding/binary"
	"math"
	"slices"
	"sync/atomic"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/provenir/provenir/services/recorder/metric"
)

// wire is how the metrics of a step lie in its bytes when all of them are numbers. Steps of a run differ in the numbers
// only, so the rest of the next step is compared and not decoded. It never changes, and runs share it.
type wire struct {
	slots []slot
	shape *metric.Shape
}

// slot is one metric in the order of the bytes: what stands before its number and behind it.
type slot struct {
	before, after string
	counted       bool // a count of values ends it
	at            int  // where its value is in the shape
}

// countTag begins the count of values.
const countTag = metricN<<3 | byte(protowire.VarintType)

// read takes the number, and the count where there is one; ok is false where anything else is not as it was.
func (s *slot) read(b []byte) (x float64, n uint64, ok bool) {
	at := len(s.before) + 8
	end := at + len(s.after)
	if len(b) < end || string(b[:len(s.before)]) != s.before || string(b[at:end]) != s.after {
		return 0, 0, false
	}
	x = math.Float64frombits(binary.LittleEndian.Uint64(b[at-8:]))
	if b = b[end:]; s.counted {
		if len(b) == 0 || b[0] != countTag {
			return 0, 0, false
		}
		v, size := protowire.ConsumeVarint(b[1:])
		if size < 0 {
			return 0, 0, false
		}
		n, b = v, b[1+size:]
	}
	return x, n, len(b) == 0
}

const (
	// maxWire bounds the metrics of a step whose bytes are remembered. A step of more is decoded each time.
	maxWire = 1 << 10
	// maxKey bounds what of its bytes is remembered.
	maxKey = 1 << 16
	// maxWires bounds what all runs of a process remember together, in bytes. What comes beyond it is decoded each time, so
	// that runs with other names in every step cost time and no memory.
	maxWires = 16 << 20
)

// wires are the ones that runs share.
type wires struct {
	shared[*wire]
	used atomic.Int64 // bytes, about
}

var sharedWires wires

// keep remembers a wire where there is room.
func (s *wires) keep(key []byte, w *wire) bool {
	const each = 256 // a slot, its value and its place
	cost := int64(len(key) + each*len(w.slots))
	if s.used.Add(cost) > maxWires {
		s.used.Add(-cost)
		return false
	}
	s.put(string(key), w)
	return true
}

// learn gives how a step's metrics lie in their bytes; nil where one of them has another form than encoders give it.
// d.values are those of the step, in the order of the bytes.
func (d *decoder) learn() *wire {
	if len(d.metrics) != len(d.values) || len(d.metrics) == 0 || len(d.metrics) > maxWire {
		return nil // or one of them is absent
	}
	slots := make([]slot, 0, len(d.metrics))
	d.key = d.key[:0]
	for _, b := range d.metrics {
		s, ok := slotOf(b)
		if !ok || len(d.key)+len(b) > maxKey {
			return nil
		}
		slots = append(slots, s)
		d.key = s.append(d.key)
	}
	if w, ok := sharedWires.get(d.key); ok {
		return w
	}
	order := make([]int, len(slots))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return byName(d.values[a], d.values[b]) })
	sorted := make([]metric.Value, len(order))
	for at, i := range order {
		sorted[at], slots[i].at = d.values[i], at
	}
	w := &wire{slots: slots, shape: metric.NewShape(sorted)}
	if !sharedWires.keep(d.key, w) {
		return nil
	}
	return w
}

// append writes what makes a slot: equal bytes are equal slots.
func (s *slot) append(b []byte) []byte {
	b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(len(s.before))), uint64(len(s.after))<<1|uint64(flag(s.counted)))
	return append(append(b, s.before...), s.after...)
}

func flag(on bool) byte {
	if on {
		return 1
	}
	return 0
}

// slotOf finds the one number of a metric.
func slotOf(b []byte) (s slot, ok bool) {
	rest, before := b, 0
	for len(rest) > 0 {
		num, typ, _, _, next, ok := field(rest)
		if !ok || num == metricNonFinite {
			return slot{}, false
		}
		at, end := len(b)-len(rest), len(b)-len(next)
		switch {
		case num == metricValue && (typ != protowire.Fixed64Type || before > 0 || end-at != 9), // written twice, or as nobody writes it
			num == metricN && (end != len(b) || typ != protowire.VarintType || b[at] != countTag):
			return slot{}, false
		case num == metricValue:
			before = at + 1
		case num == metricN:
			s.counted, b = true, b[:at]
			next = nil
		}
		rest = next
	}
	if before == 0 {
		return slot{}, false
	}
	s.before, s.after = string(b[:before]), string(b[before+8:])
	return s, true
}

// again reads a step whose metrics lie as those of one of the last two steps of other form: engines that update twice
// over one batch log the rewards in every other step. ok is false where they do not.
func (d *decoder) again(known *forms) bool {
	for i, w := range known {
		if w == nil || len(d.metrics) != len(w.slots) {
			continue
		}
		if d.filled != w {
			d.values, d.filled = append(d.values[:0], w.shape.Values()...), w
		}
		if d.numbers(w) {
			known[i], known[0] = known[0], w
			return true
		}
	}
	return false
}

func (d *decoder) numbers(w *wire) bool {
	for i, b := range d.metrics {
		s := &w.slots[i]
		x, n, ok := s.read(b)
		if !ok {
			return false
		}
		v := &d.values[s.at]
		v.X, v.N = x, n
	}
	return true
}
