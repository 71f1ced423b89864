package rpc

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// bulkFrom is the size of a frame from which it pays not to copy bodies.
const bulkFrom = 4 << 10

// bulk says where a frame's bodies are: in frame.list[i].body. The generated decoder copies each of them, which at
// 16 KiB costs more than everything else it does.
type bulk struct {
	frame, list, body protowire.Number
	bodies            func(m proto.Message, n int) []*[]byte // where they go; nil unless there are n
}

var (
	records = &bulk{frame: 2, list: 1, body: 3, bodies: func(m proto.Message, n int) []*[]byte {
		in := m.(*recorderv1.AppendRequest).GetRecords().GetRecords()
		return places(in, n, func(r *recorderv1.Record) *[]byte { return &r.Payload })
	}}
	items = &bulk{frame: 2, list: 1, body: 2, bodies: func(m proto.Message, n int) []*[]byte {
		in := m.(*verifierv1.VerifyRolloutsRequest).GetItems().GetItems()
		return places(in, n, func(i *verifierv1.VerifyItem) *[]byte { return &i.Rollout })
	}}
	rollouts = &bulk{frame: 11, list: 3, body: 5, bodies: func(m proto.Message, n int) []*[]byte {
		in := m.(*trainerv1.TrainResponse).GetRollouts().GetRollouts()
		return places(in, n, func(f *trainerv1.RolloutFrame) *[]byte { return &f.Body })
	}}
)

func bulkOf(m proto.Message) *bulk {
	switch m.(type) {
	case *recorderv1.AppendRequest:
		return records
	case *verifierv1.VerifyRolloutsRequest:
		return items
	case *trainerv1.TrainResponse:
		return rollouts
	}
	return nil
}

func places[T any](in []*T, n int, place func(*T) *[]byte) []*[]byte {
	if len(in) != n {
		return nil
	}
	out := make([]*[]byte, n)
	for i, x := range in {
		out[i] = place(x)
	}
	return out
}

// unmarshal decodes b into m. The generated decoder reads the frame without its bodies, so its judgement of everything
// else counts; the bodies are then put in as parts of b.
func (p *bulk) unmarshal(b []byte, m proto.Message) error {
	c := cut{path: []protowire.Number{p.frame, p.list}, body: p.body}
	rest, ok := c.message(make([]byte, 0, len(b)/8+64), b, 0)
	if !ok {
		return proto.Unmarshal(b, m) // it will say what is wrong
	}
	if err := proto.Unmarshal(rest, m); err != nil {
		return err
	}
	to := p.bodies(m, len(c.found))
	if to == nil { // a frame that names its oneof more than once: rare, legal
		return proto.Unmarshal(b, m)
	}
	for i, body := range c.found {
		if len(body) > 0 {
			*to[i] = body
		}
	}
	return nil
}

// cut takes the bodies out of a frame.
type cut struct {
	path  []protowire.Number
	body  protowire.Number
	found [][]byte // one for each element of the list, in order; empty where an element has none
}

// message appends to the frame's rest the message b at a depth of the path, without bodies. ok is false for bytes that
// are no message.
func (c *cut) message(to, b []byte, depth int) (rest []byte, ok bool) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, false
		}
		size := protowire.ConsumeFieldValue(num, typ, b[n:])
		if size < 0 {
			return nil, false
		}
		field, value := b[:n+size], b[n:n+size]
		b = b[n+size:]
		switch {
		case typ != protowire.BytesType:
			to = append(to, field...)
		case depth == len(c.path) && num == c.body:
			v, _ := protowire.ConsumeBytes(value)
			c.found[len(c.found)-1] = v[:len(v):len(v)]
		case depth < len(c.path) && num == c.path[depth]:
			v, _ := protowire.ConsumeBytes(value)
			if to, ok = c.nested(to, v, num, depth+1); !ok {
				return nil, false
			}
		default:
			to = append(to, field...)
		}
	}
	return to, true
}

// nested appends a message with its tag and length. The length is not known before, so room for one of four bytes is
// kept: a varint may be longer than it must be.
func (c *cut) nested(to, v []byte, num protowire.Number, depth int) ([]byte, bool) {
	const room = 4 // 7 bits each: up to 256 MiB, far above the largest message
	if depth == len(c.path) {
		c.found = append(c.found, nil)
	}
	to = protowire.AppendTag(to, num, protowire.BytesType)
	at := len(to)
	to, ok := c.message(append(to, make([]byte, room)...), v, depth)
	if !ok {
		return nil, false
	}
	n := len(to) - at - room
	for i := range room {
		to[at+i] = byte(n>>(7*i))&0x7f | 0x80
	}
	to[at+room-1] &= 0x7f
	return to, true
}
