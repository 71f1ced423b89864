package monitor

import (
	"cmp"
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/metric"
)

// Field numbers of core.v1.StepRecord, StepFacts and Metric.
const (
	recordFacts = 1

	factsStage      = 1
	factsStep       = 2
	factsBranch     = 3
	factsSampled    = 10
	factsScored     = 11
	factsUnscored   = 12
	factsGroups     = 15
	factsWithSignal = 16
	factsZeroStd    = 17
	factsOneScored  = 18
	factsNoneScored = 19
	factsObjective  = 24
	factsMetrics    = 26

	metricCanonical = 1
	metricValue     = 2
	metricNonFinite = 3
	metricRaw       = 4
	metricEstimator = 5
	metricReduction = 6
	metricScope     = 7
	metricUnit      = 8
	metricN         = 9
)

// maxOrder bounds the names of a step that a run remembers.
const maxOrder = detect.MaxMetrics

// decoder reads STEP records straight into a sample. Decoded as messages, thirty metrics cost more than all detectors
// together. Names are remembered, so that a step allocates nothing. Bytes that it does not understand it leaves to the
// generated decoder, whose judgement counts. What it holds are guesses of what comes next, so any run may use any decoder.
type decoder struct {
	last   string  // text that was read last: tags repeat from metric to metric
	order  []named // names of the step before, in its order, which is most often this one's too
	at     int
	values []metric.Value

	metrics [][]byte // of the step that is read
	filled  *wire    // values holds its names, in its order
	key     []byte
}

// forms are how the metrics of a run's newest steps lay in their bytes, of two forms; nil where nothing is known.
type forms [2]*wire

// sample reads a STEP record; ok is false where the generated decoder has to look at it. The values are valid until the
// next call.
func (d *decoder) sample(payload []byte, s *detect.Sample, known *forms) (ok bool) {
	var facts []byte
	for b := payload; len(b) > 0; {
		num, typ, v, _, rest, ok := field(b)
		if !ok {
			return false
		}
		if num == recordFacts && typ == protowire.BytesType {
			facts = v
		}
		b = rest
	}
	d.metrics = d.metrics[:0]
	scored := false
	for b := facts; len(b) > 0; {
		num, typ, v, x, rest, ok := field(b)
		if !ok {
			return false
		}
		b = rest
		switch {
		case num == factsMetrics && typ == protowire.BytesType:
			d.metrics = append(d.metrics, v)
		case num == factsObjective && typ == protowire.BytesType:
			if s.Objective, ok = d.text(v); !ok {
				return false
			}
		case num == factsUnscored && typ == protowire.BytesType:
			scored = true
		case typ == protowire.VarintType:
			number(num, x, s)
		}
	}
	s.Rows.ScoredKnown = scored || s.Rows.Scored > 0 || s.Rows.Groups > 0
	if ok = d.read(s, known); !ok {
		d.filled = nil
	}
	clear(d.metrics) // a run keeps no payload
	return ok
}

// read reads the metrics, once they are found.
func (d *decoder) read(s *detect.Sample, known *forms) bool {
	if d.again(known) {
		s.Values, s.Shape = d.values, known[0].shape
		return true
	}
	d.values, d.at, d.filled = d.values[:0], 0, nil
	for _, b := range d.metrics {
		if !d.metric(b) {
			return false
		}
	}
	s.Values = d.values
	if w := d.learn(); w != nil && w != known[0] {
		known[1], known[0] = known[0], w
	}
	return true
}

// field is the first field of a message: bytes in v, numbers in x.
func field(b []byte) (num protowire.Number, typ protowire.Type, v []byte, x uint64, rest []byte, ok bool) {
	num, typ, n := protowire.ConsumeTag(b)
	if n < 0 {
		return 0, 0, nil, 0, nil, false
	}
	b = b[n:]
	switch typ {
	case protowire.BytesType:
		v, n = protowire.ConsumeBytes(b)
	case protowire.VarintType:
		x, n = protowire.ConsumeVarint(b)
	case protowire.Fixed64Type:
		x, n = protowire.ConsumeFixed64(b)
	default:
		n = protowire.ConsumeFieldValue(num, typ, b)
	}
	if n < 0 {
		return 0, 0, nil, 0, nil, false
	}
	return num, typ, v, x, b[n:], true
}

func number(num protowire.Number, x uint64, s *detect.Sample) {
	switch num {
	case factsStage:
		s.Stage = uint32(x)
	case factsStep:
		s.Step = x
	case factsBranch:
		s.Attempt = uint32(x)
	case factsSampled:
		s.Rows.Sampled = x
	case factsScored:
		s.Rows.Scored = x
	case factsGroups:
		s.Rows.Groups = x
	case factsWithSignal:
		s.Rows.WithSignal = x
	case factsZeroStd:
		s.Rows.ZeroStd = x
	case factsOneScored:
		s.Rows.OneScored = x
	case factsNoneScored:
		s.Rows.NoneScored = x
	}
}

// metric reads one metric. One that is neither a number nor a non-finite one is absent.
func (d *decoder) metric(b []byte) bool {
	var v metric.Value
	var canonical []byte
	var scope string
	has := false
	nonFinite := corev1.NonFinite_NON_FINITE_UNSPECIFIED
	for len(b) > 0 {
		num, typ, raw, x, rest, ok := field(b)
		if !ok {
			return false
		}
		b = rest
		switch {
		case typ == protowire.BytesType && num == metricCanonical:
			canonical = raw
		case typ == protowire.Fixed64Type && num == metricValue:
			v.X, has = math.Float64frombits(x), true
		case typ == protowire.VarintType && num == metricNonFinite:
			nonFinite = corev1.NonFinite(int32(x))
		case typ == protowire.VarintType && num == metricN:
			v.N = x
		case typ == protowire.BytesType && num >= metricRaw && num <= metricUnit:
			into := [...]*string{&v.Raw, &v.Estimator, &v.Reduction, &scope, &v.Unit}[num-metricRaw]
			if *into, ok = d.text(raw); !ok {
				return false
			}
		}
	}
	name, ok := d.named(canonical)
	if !ok {
		return false
	}
	v.Name, v.Scope = name.name, cmp.Or(scope, name.scope)
	switch nonFinite {
	case corev1.NonFinite_NON_FINITE_NAN:
		v.X, has = math.NaN(), true
	case corev1.NonFinite_NON_FINITE_POSITIVE_INFINITY:
		v.X, has = math.Inf(1), true
	case corev1.NonFinite_NON_FINITE_NEGATIVE_INFINITY:
		v.X, has = math.Inf(-1), true
	case corev1.NonFinite_NON_FINITE_UNSPECIFIED:
	}
	if has && v.Name != "" {
		d.values = append(d.values, v)
	}
	return true
}

// text gives bytes as a string that was made once. What is not UTF-8 is no text of a message.
func (d *decoder) text(b []byte) (string, bool) {
	if len(b) == 0 {
		return "", true
	}
	if string(b) == d.last {
		return d.last, true
	}
	s, ok := sharedTexts.get(b)
	if !ok {
		if !utf8.Valid(b) {
			return "", false
		}
		s = string(b)
		sharedTexts.put(s, s)
	}
	d.last = s
	return s, true
}

func (d *decoder) named(b []byte) (named, bool) {
	if d.at < len(d.order) && d.order[d.at].raw == string(b) {
		d.at++
		return d.order[d.at-1], true
	}
	n, ok := sharedNames.get(b)
	if !ok {
		if !utf8.Valid(b) {
			return named{}, false
		}
		n = newNamed(string(b))
		sharedNames.put(n.raw, n)
	}
	if d.at < maxOrder {
		d.order = append(d.order[:d.at], n)
		d.at++
	}
	return n, true
}
