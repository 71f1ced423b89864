package openenv

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/gateway/openenv/episode"
)

// failureOf gives an error of the service OpenEnv's words. A problem leaves the episode open; anything else has ended its
// stream, and the connection goes with it.
func failureOf(err error) *failure {
	var p *episode.Problem
	if errors.As(err, &p) {
		if p.Reason == rpc.Short(corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT) {
			return &failure{code: validationError, message: p.Detail}
		}
		return &failure{code: executionError, message: p.Error()}
	}
	if rpc.Is(err, corev1.ErrorReason_ERROR_REASON_CAPACITY_REACHED) || status.Code(err) == codes.ResourceExhausted {
		return &failure{code: capacityReached, message: rpc.Message(err), fatal: true}
	}
	return &failure{code: sessionError, message: rpc.Message(err), fatal: true}
}

func (s *Server) full() *failure {
	return &failure{code: capacityReached, fatal: true, message: fmt.Sprintf("%d environments are open, which is as many as may be (%s); close one, or retry",
		s.cfg.MaxConcurrentEnvs, rpc.Short(corev1.ErrorReason_ERROR_REASON_CAPACITY_REACHED))}
}

// statusOf is the HTTP status of an error.
func statusOf(err error) int {
	var f *failure
	var p *episode.Problem
	switch {
	case errors.As(err, &f):
		return map[code]int{invalidJSON: http.StatusUnprocessableEntity, validationError: http.StatusUnprocessableEntity,
			capacityReached: http.StatusServiceUnavailable, executionError: http.StatusConflict}[f.code]
	case errors.As(err, &p) && p.Reason == rpc.Short(corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT):
		return http.StatusUnprocessableEntity
	case errors.As(err, &p):
		return http.StatusConflict
	case rpc.Is(err, corev1.ErrorReason_ERROR_REASON_CAPACITY_REACHED):
		return http.StatusServiceUnavailable
	}
	return runtime.HTTPStatusFromCode(status.Code(err))
}

// fail answers over HTTP, in the form that OpenEnv's servers have.
func fail(w http.ResponseWriter, err error) {
	var f *failure
	message := status.Convert(err).Message()
	if errors.As(err, &f) {
		message = f.message
	}
	at := statusOf(err)
	switch at {
	case 0:
		at = http.StatusInternalServerError
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "1")
	case http.StatusUnauthorized:
		w.Header().Add("WWW-Authenticate", "Bearer")
		w.Header().Add("WWW-Authenticate", "Basic")
	}
	answer(w, at, map[string]string{"detail": message})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(written(v)) // the client may have gone
}
