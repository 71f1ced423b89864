package rewardhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/internal/strictjson"
)

// Server answers the calls. The context of a request carries its caller's credential.
type Server struct {
	verifier verifierv1.VerifierServiceClient
	seen     *seen
}

// New makes one.
func New(v verifierv1.VerifierServiceClient) *Server { return &Server{verifier: v, seen: newSeen()} }

// Add adds the endpoints: at the root without a run, under /v1/runs/{run}/ with one.
func (s *Server) Add(mux *http.ServeMux, wrap func(http.Handler) http.Handler) {
	for path, answer := range map[string]handler{"run_code": s.runCode, "get_reward": s.getReward, "verify": s.verify, "seed_session": s.seedSession} {
		mux.Handle("POST /"+path, wrap(s.unrecorded(answer)))
		mux.Handle("POST /v1/runs/{run}/"+path, wrap(http.HandlerFunc(s.named)))
	}
}

// handler answers a body with a value that is written as JSON.
type handler func(w http.ResponseWriter, r *http.Request, body []byte) (any, error)

// headerRecorded says whether a call was recorded. Here none is.
const headerRecorded = "Provenir-Recorded"

func (s *Server) unrecorded(answer handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(headerRecorded, "false")
		if r.Header.Get("Provenir-Run") != "" || r.URL.Query().Has("run") {
			s.named(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &large):
			fail(w, rpc.Errorf(codes.ResourceExhausted, corev1.ErrorReason_ERROR_REASON_FRAME_TOO_LARGE, "the body has more than %d bytes", large.Limit), http.StatusRequestEntityTooLarge)
			return
		case err != nil:
			fail(w, err, http.StatusBadRequest)
			return
		}
		out, err := answer(w, r, body)
		if err != nil {
			fail(w, err, 0)
			return
		}
		write(w, http.StatusOK, out)
	})
}

// named refuses a call of a run: it would have to be recorded before it is rewarded, and nobody does that yet.
func (s *Server) named(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(headerRecorded, "false")
	// Strangers learn nothing of what is built: they are told who they are not.
	if _, err := s.verifier.ListVerifiers(r.Context(), &verifierv1.ListVerifiersRequest{}); err != nil {
		fail(w, err, 0)
		return
	}
	fail(w, rpc.Errorf(codes.Unimplemented, corev1.ErrorReason_ERROR_REASON_OPTION_UNSUPPORTED,
		"a call that names a run is recorded by EngineService, which is not served yet; leave the run out for a verdict that nobody records"), 0)
}

// statusError is an error with an HTTP status and a body of its own.
type statusError struct {
	status int
	body   any
	after  string // Retry-After
}

func (e *statusError) Error() string { return http.StatusText(e.status) }

// fail writes a google.rpc.Status, or the error's own body. at is the status; 0 takes that of the code.
func fail(w http.ResponseWriter, err error, at int) {
	var own *statusError
	if errors.As(err, &own) {
		if own.after != "" {
			w.Header().Set("Retry-After", own.after)
		}
		write(w, own.status, own.body)
		return
	}
	st := status.Convert(err)
	if at == 0 {
		at = runtime.HTTPStatusFromCode(st.Code())
	}
	switch at {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	b, failed := (&runtime.JSONPb{}).Marshal(st.Proto())
	if failed != nil {
		http.Error(w, st.Message(), at)
		return
	}
	write(w, at, json.RawMessage(b))
}

func write(w http.ResponseWriter, at int, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		http.Error(w, "the answer cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(at)
	_, _ = w.Write(b.Bytes()) // the client may have gone
}

func invalid(field, format string, args ...any) error {
	p := rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, format, args...)
	return p.Field(field, p.Error())
}

// read fills v from a JSON object; a key twice is an error, since two readers would take two values.
func read(body []byte, v any) error {
	if err := strictjson.Check(body, strictjson.Limits{Bytes: 8 << 20, Values: 1_000_000}); err != nil {
		return invalid("body", "the body is no JSON object: %v", err)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return invalid("body", "the body is not of the form that this call has: %v", err)
	}
	return nil
}

// specOf is the verifier that the address names, as ?spec=math. Engines cannot say it in the body.
func specOf(r *http.Request) (*verifierv1.Spec, error) {
	text := r.URL.Query().Get("spec")
	if text == "" {
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_BAD_SPEC, "name the verifier in the address, as in %s?spec=math", r.URL.Path)
	}
	return &verifierv1.Spec{Name: text}, nil
}
