package gateway

import (
	"bytes"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// tokened is a streamed message that says where it is.
type tokened interface{ GetResumeToken() string }

// result takes the message out of the gateway's {"result": …} wrapper.
func result(v any) (proto.Message, bool) {
	switch m := v.(type) {
	case map[string]any:
		p, ok := m["result"].(proto.Message)
		return p, ok
	case map[string]proto.Message:
		p, ok := m["result"]
		return p, ok
	}
	return nil, false
}

// eventMarshaler writes server-sent events: id is the resume token, so that a browser resumes by itself. A message
// without content is a heartbeat and becomes a comment, but still moves the id.
type eventMarshaler struct{ compactJSON }

// ContentType is that of an event stream.
func (*eventMarshaler) ContentType(any) string { return "text/event-stream" }

// Delimiter: an event ends with its blank line.
func (*eventMarshaler) Delimiter() []byte { return nil }

const errorEvent = "event: error\ndata: "

// Marshal writes one event.
func (e *eventMarshaler) Marshal(v any) ([]byte, error) {
	m, ok := result(v)
	if one, unary := v.(proto.Message); unary { // a call that answers once is a stream of one event
		m, ok = one, true
	}
	if !ok { // an error at the end of a stream
		b, err := e.compactJSON.Marshal(v)
		return append(append([]byte(errorEvent), b...), "\n\n"...), err
	}
	var out bytes.Buffer
	if t, ok := m.(tokened); ok && t.GetResumeToken() != "" {
		out.WriteString("id: " + t.GetResumeToken() + "\n")
	}
	b, err := e.compactJSON.Marshal(m)
	if err != nil {
		return nil, err
	}
	if heartbeat(m) {
		out.WriteString(": heartbeat\n\n")
		return out.Bytes(), nil
	}
	out.WriteString("data: ")
	out.Write(b)
	out.WriteString("\n\n")
	return out.Bytes(), nil
}

// heartbeat is a message with a token and nothing else.
func heartbeat(m proto.Message) bool {
	if _, ok := m.(tokened); !ok {
		return false
	}
	content := false
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		content = content || f.Name() != "resume_token"
		return !content
	})
	return !content
}

// lineMarshaler writes one message a line, without a wrapper.
type lineMarshaler struct{ compactJSON }

// ContentType is that of JSON lines.
func (*lineMarshaler) ContentType(any) string { return "application/x-ndjson" }

// Marshal writes one line.
func (l *lineMarshaler) Marshal(v any) ([]byte, error) {
	if m, ok := result(v); ok {
		return l.compactJSON.Marshal(m)
	}
	return l.compactJSON.Marshal(v)
}
