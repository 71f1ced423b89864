package gateway

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/proto"
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
type eventMarshaler struct{ runtime.JSONPb }

// ContentType is that of an event stream.
func (*eventMarshaler) ContentType(any) string { return "text/event-stream" }

// Delimiter: an event ends with its blank line.
func (*eventMarshaler) Delimiter() []byte { return nil }

// Marshal writes one event.
func (e *eventMarshaler) Marshal(v any) ([]byte, error) {
	m, ok := result(v)
	if !ok { // an error at the end of a stream
		b, err := e.JSONPb.Marshal(v)
		return append(append([]byte("event: error\ndata: "), b...), "\n\n"...), err
	}
	var out bytes.Buffer
	if t, ok := m.(tokened); ok && t.GetResumeToken() != "" {
		out.WriteString("id: " + t.GetResumeToken() + "\n")
	}
	b, err := e.JSONPb.Marshal(m)
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
	c := m.ProtoReflect()
	n := 0
	for i := range c.Descriptor().Fields().Len() {
		if c.Has(c.Descriptor().Fields().Get(i)) {
			n++
		}
	}
	return n <= 1
}

// lineMarshaler writes one message a line, without a wrapper.
type lineMarshaler struct{ runtime.JSONPb }

// ContentType is that of JSON lines.
func (*lineMarshaler) ContentType(any) string { return "application/x-ndjson" }

// Marshal writes one line.
func (l *lineMarshaler) Marshal(v any) ([]byte, error) {
	if m, ok := result(v); ok {
		return l.JSONPb.Marshal(m)
	}
	return l.JSONPb.Marshal(v)
}

// events turns Last-Event-ID into the resume_token of the call, and sends how soon to reconnect.
func events(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
			next.ServeHTTP(w, r)
			return
		}
		if id := r.Header.Get("Last-Event-ID"); id != "" {
			q := r.URL.Query()
			q.Set("resumeToken", id)
			r.URL.RawQuery = q.Encode()
		}
		r.Header.Set("Accept", "text/event-stream")
		next.ServeHTTP(&retryWriter{ResponseWriter: w}, r)
	})
}

// retryWriter puts the retry line before the first event of a stream that was accepted.
type retryWriter struct {
	http.ResponseWriter
	code    int
	started bool
}

func (w *retryWriter) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}

func (w *retryWriter) Write(b []byte) (int, error) {
	if !w.started && (w.code == 0 || w.code == http.StatusOK) {
		w.started = true
		if _, err := w.ResponseWriter.Write([]byte("retry: 1000\n\n")); err != nil {
			return 0, err
		}
	}
	return w.ResponseWriter.Write(b)
}

// Flush lets events leave at once.
func (w *retryWriter) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// Unwrap is for http.ResponseController.
func (w *retryWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
