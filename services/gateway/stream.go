package gateway

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// streams chooses how a stream is written, turns Last-Event-ID into the resume_token of the call, and sends how soon to
// reconnect.
func streams(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := &streamWriter{ResponseWriter: w}
		for _, kind := range []string{"text/event-stream", "application/x-ndjson"} {
			if strings.Contains(r.Header.Get("Accept"), kind) {
				r.Header.Set("Accept", kind) // exactly: the marshalers are chosen by the whole value
				out.events = kind == "text/event-stream"
				break
			}
		}
		if id := r.Header.Get("Last-Event-ID"); id != "" && out.events {
			q := r.URL.Query()
			q.Del("resume_token") // a browser reconnects with the URL that it began with; the newer position counts
			q.Set("resumeToken", id)
			r.URL.RawQuery = q.Encode()
		}
		next.ServeHTTP(out, r)
	})
}

// streamWriter puts the retry line before the first event of a stream that was accepted. A stream that was refused gets
// the answer of any refused call: headers that say what to do, and a google.rpc.Status in JSON. The gateway's own error
// handler is not asked for streams.
type streamWriter struct {
	http.ResponseWriter
	events  bool
	code    int
	started bool
}

// WriteHeader sees the status before it leaves.
func (w *streamWriter) WriteHeader(code int) {
	w.code = code
	if code >= http.StatusBadRequest {
		advise(w.Header(), code)
		w.Header().Set("Content-Type", "application/json")
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *streamWriter) Write(b []byte) (int, error) {
	if w.code >= http.StatusBadRequest {
		if _, err := w.ResponseWriter.Write(plain(b)); err != nil {
			return 0, err
		}
		return len(b), nil
	}
	if w.events && !w.started {
		w.started = true
		if _, err := w.ResponseWriter.Write([]byte("retry: 1000\n\n")); err != nil {
			return 0, err
		}
	}
	return w.ResponseWriter.Write(b)
}

// plain takes an error out of the frame of a stream.
func plain(b []byte) []byte {
	inner := bytes.TrimSpace(bytes.TrimPrefix(b, []byte(errorEvent)))
	var framed struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(inner, &framed) == nil && len(framed.Error) > 0 {
		return framed.Error
	}
	return inner
}

// Flush lets events leave at once.
func (w *streamWriter) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// Unwrap is for http.ResponseController.
func (w *streamWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
