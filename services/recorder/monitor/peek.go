package monitor

import "google.golang.org/protobuf/encoding/protowire"

// Field numbers of core.v1.Verdict and core.v1.Finding.
const (
	verdictUnscored = 3
	verdictFindings = 8
	findingKind     = 1
)

// timeDependent is the finding on a verdict that a clock decided.
const timeDependent = "time_dependent"

// peekVerdict reads two facts of a verdict without decoding it: verdicts come by the ten thousand a second, and decoding
// one costs a dozen allocations. Bytes that are no verdict give false.
func peekVerdict(b []byte) (unscored, timed bool) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return unscored, timed
		}
		b = b[n:]
		if typ == protowire.BytesType && (num == verdictUnscored || num == verdictFindings) {
			v, n := protowire.ConsumeBytes(b)
			if n < 0 {
				return unscored, timed
			}
			if num == verdictUnscored {
				unscored = true
			} else if findingIs(v, timeDependent) {
				timed = true
			}
			b = b[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			return unscored, timed
		}
		b = b[n:]
	}
	return unscored, timed
}

func findingIs(b []byte, kind string) bool {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return false
		}
		b = b[n:]
		if num == findingKind && typ == protowire.BytesType {
			v, n := protowire.ConsumeBytes(b)
			return n >= 0 && string(v) == kind
		}
		if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			return false
		}
		b = b[n:]
	}
	return false
}
