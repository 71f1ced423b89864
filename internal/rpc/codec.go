package rpc

import (
	"fmt"
	"strings"
	"unsafe"

	"google.golang.org/grpc/encoding"
	protocodec "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// codec is gRPC's protobuf codec with two differences, both for the pump's frames of hundreds of KiB: its buffers are not
// cleared, and the bodies of rollouts and records are not copied out of the frame they came in.
type codec struct{}

var _ encoding.CodecV2 = codec{}

// Name is the one of gRPC's own codec: the bytes are the same.
func (codec) Name() string { return protocodec.Name }

// Marshal encodes a message.
func (codec) Marshal(v any) (mem.BufferSlice, error) {
	m, ok := v.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("encode: %T is no protobuf message", v)
	}
	size := proto.Size(m)
	opts := proto.MarshalOptions{UseCachedSize: true} // nobody may change a message that is being sent
	if mem.IsBelowBufferPoolingThreshold(size) {
		b, err := opts.Marshal(m)
		if err != nil {
			return nil, err
		}
		return mem.BufferSlice{mem.SliceBuffer(b)}, nil
	}
	b := pool.Get(size)
	if _, err := opts.MarshalAppend((*b)[:0], m); err != nil {
		pool.Put(b)
		return nil, err
	}
	return mem.BufferSlice{mem.NewBuffer(b, pool)}, nil
}

// Unmarshal decodes a message.
func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(proto.Message)
	if !ok {
		return fmt.Errorf("decode: %T is no protobuf message", v)
	}
	if p := bulkOf(m); p != nil && data.Len() >= bulkFrom {
		return p.unmarshal(own(data), m)
	}
	b := data.MaterializeToBuffer(pool)
	defer b.Free()
	return proto.Unmarshal(b.ReadOnlyData(), m)
}

// own copies a frame into memory of its own, which the message keeps. It is not cleared first, since every byte of it is
// written: only a strings.Builder gives such memory. Nobody may write to it afterwards, as to every message received.
func own(data mem.BufferSlice) []byte {
	var b strings.Builder
	b.Grow(data.Len())
	for _, part := range data {
		b.Write(part.ReadOnlyData())
	}
	s := b.String()
	return unsafe.Slice(unsafe.StringData(s), len(s)) //nolint:gosec // see above
}
