package verifier

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// errRollout is the answer for bytes that are no core.v1.Rollout.
var errRollout = errors.New("the rollout's bytes are not a core.v1.Rollout")

// Fields of core.v1.Rollout, Segment and Column that a verdict needs.
var (
	rolloutID, rolloutSegments, rolloutColumns = text(1), text(7), text(16)
	rolloutBlobs                               = text(17)
	segmentKind, segmentText                   = number(1), text(2)
	segmentFrom, segmentTo                     = number(3), number(4)
	columnKey, columnJSON                      = text(1), text(2)
)

// readRollout takes id, response and row out of a rollout's bytes without decoding the rest of it: tokens and logprobs
// are most of the bytes, and nothing here needs them. A test compares it with proto.Unmarshal.
func readRollout(b []byte) (c verdict.Candidate, large []*corev1.BlobRef, err error) {
	var parts [][]byte
	size := 0
	err = fields(b, func(n field, v []byte, _ uint64) error {
		switch n {
		case rolloutBlobs:
			ref := &corev1.BlobRef{}
			if proto.Unmarshal(v, ref) != nil {
				return errRollout
			}
			large = append(large, ref)
		case rolloutID:
			c.ID = string(v)
		case rolloutSegments:
			written, tokens, err := readSegment(v)
			if err != nil {
				return err
			}
			if written != nil {
				parts = append(parts, written)
				size += len(written)
				c.Tokens += tokens
			}
		case rolloutColumns:
			var f verdict.Field
			if err := fields(v, func(n field, v []byte, _ uint64) error {
				switch n {
				case columnKey:
					f.Key = string(v)
				case columnJSON:
					f.JSON = v
				}
				return nil
			}); err != nil {
				return err
			}
			c.Row = append(c.Row, f)
		}
		return nil
	})
	switch len(parts) {
	case 0:
	case 1:
		c.Response = string(parts[0])
	default:
		joined := make([]byte, 0, size)
		for _, p := range parts {
			joined = append(joined, p...)
		}
		c.Response = string(joined)
	}
	return c, large, err
}

// readSegment gives the text of a segment that the policy wrote; nil for those of others.
func readSegment(b []byte) (written []byte, tokens int, err error) {
	kind := corev1.SegmentKind_SEGMENT_KIND_UNSPECIFIED
	var from, to uint64
	written = []byte{}
	err = fields(b, func(n field, v []byte, x uint64) error {
		switch n {
		case segmentKind:
			kind = corev1.SegmentKind(x)
		case segmentText:
			written = v
		case segmentFrom:
			from = x
		case segmentTo:
			to = x
		}
		return nil
	})
	if kind != corev1.SegmentKind_SEGMENT_KIND_MODEL {
		return nil, 0, err
	}
	if to > from && to-from < 1<<31 {
		tokens = int(to - from)
	}
	return written, tokens, err
}

// field is a number with its wire type: a known number with another type is an unknown field and must not reset the
// known one.
type field struct {
	number protowire.Number
	wire   protowire.Type
}

func text(n protowire.Number) field { return field{n, protowire.BytesType} }

func number(n protowire.Number) field { return field{n, protowire.VarintType} }

// fields walks over a message; v is the content of length-delimited fields, x the value of varints.
func fields(b []byte, visit func(f field, v []byte, x uint64) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errRollout
		}
		b = b[n:]
		var v []byte
		var x uint64
		switch typ {
		case protowire.BytesType:
			v, n = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			x, n = protowire.ConsumeVarint(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return errRollout
		}
		b = b[n:]
		if typ != protowire.BytesType && typ != protowire.VarintType {
			continue
		}
		if err := visit(field{num, typ}, v, x); err != nil {
			return err
		}
	}
	return nil
}
