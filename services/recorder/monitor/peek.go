package monitor

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of core.v1.Verdict, core.v1.Scored and core.v1.Finding.
const (
	verdictRollout  = 1
	verdictScored   = 2
	verdictUnscored = 3
	verdictFindings = 8
	scoredReward    = 1
	findingKind     = 1
)

// timeDependent is the finding on a verdict that a clock decided.
const timeDependent = "time_dependent"

// peeked is what the monitor reads of a verdict. The bytes are the caller's.
type peeked struct {
	rollout                 []byte
	reward                  float64
	scored, unscored, timed bool
}

// peekVerdict reads a verdict without decoding it: verdicts come by the ten thousand a second, and decoding one costs a
// dozen allocations. Bytes that are no verdict give what could be read before they were none.
func peekVerdict(b []byte) (v peeked) {
	for num, field, rest := next(b); num > 0; num, field, rest = next(rest) {
		switch num {
		case verdictRollout:
			v.rollout = field
		case verdictScored:
			v.scored = true
			v.reward = double(field, scoredReward)
		case verdictUnscored:
			v.unscored = true
		case verdictFindings:
			for num, kind, rest := next(field); num > 0; num, kind, rest = next(rest) {
				v.timed = v.timed || num == findingKind && string(kind) == timeDependent
			}
		}
	}
	return v
}

// next is the first field of type bytes, and what follows it; number 0 is the end, or bytes that are no message.
func next(b []byte) (num protowire.Number, field, rest []byte) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return 0, nil, nil
		}
		b = b[n:]
		if typ == protowire.BytesType {
			if field, n = protowire.ConsumeBytes(b); n < 0 {
				return 0, nil, nil
			}
			return num, field, b[n:]
		}
		if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			return 0, nil, nil
		}
		b = b[n:]
	}
	return 0, nil, nil
}

// double is a field of that type; proto3 leaves 0 out.
func double(b []byte, want protowire.Number) float64 {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return 0
		}
		b = b[n:]
		if num == want && typ == protowire.Fixed64Type {
			x, n := protowire.ConsumeFixed64(b)
			if n < 0 {
				return 0
			}
			return math.Float64frombits(x)
		}
		if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			return 0
		}
		b = b[n:]
	}
	return 0
}
