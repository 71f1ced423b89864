package verifier

import (
	"errors"
	"strings"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/internal/task"
	"github.com/provenir/provenir/services/verifier/spec"
)

// specProblem gives the errors of specs their reasons.
func specProblem(err error) error {
	var bad *spec.BadSpecError
	var unknown *spec.UnknownVerifierError
	var later *spec.NotAvailableError
	var pattern *spec.PatternError
	var schema *spec.SchemaError
	var program *spec.ProgramError
	switch {
	case errors.As(err, &bad):
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_BAD_SPEC, "%w", err).
			With("field", bad.Field).With("value", bad.Value).With("allowed", bad.Allowed).Field("spec."+bad.Field, "allowed: "+bad.Allowed)
	case errors.As(err, &unknown):
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_UNKNOWN_VERIFIER, "%w", err).
			With("nearest", strings.Join(unknown.Nearest, ","))
	case errors.As(err, &later):
		return rpc.Errorf(codes.Unimplemented, corev1.ErrorReason_ERROR_REASON_VERIFIER_NOT_AVAILABLE, "%w", err).With("verifier", later.Name)
	case errors.As(err, &pattern):
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_PATTERN_INVALID, "%w", err).With("pattern", pattern.Pattern)
	case errors.As(err, &schema):
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_SCHEMA_INVALID, "%w", err).Field("spec.schema", schema.Err.Error())
	case errors.As(err, &program):
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_PROGRAM_INVALID, "%w", err).Field("spec.program", program.Err.Error())
	default:
		return err
	}
}

func invalid(field, format string, args ...any) *rpc.Problem {
	p := rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, format, args...)
	return p.Field(field, p.Error())
}

// taskProblem gives the errors of task packs their reasons.
func taskProblem(err error) error {
	var unknown *task.UnknownPackError
	var setting *task.SettingError
	var exhausted *task.ExhaustedError
	switch {
	case errors.As(err, &unknown):
		return rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_TASK_PACK_UNKNOWN, "%w", err).With("known", strings.Join(unknown.Known, ","))
	case errors.As(err, &setting):
		return invalid(setting.Field, "%w", err)
	case errors.As(err, &exhausted):
		return invalid("count", "%w", err)
	default:
		return err
	}
}
