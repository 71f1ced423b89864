// Package rpc is how roles talk: errors with reasons, one named chain of interceptors, listeners and connections.
package rpc

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
)

// Domain is the domain of every ErrorInfo.
const Domain = "provenir.dev"

// Problem is an error that a caller can branch on: a gRPC status with a reason. Make it with Errorf.
type Problem struct {
	code     codes.Code
	reason   string
	message  string
	metadata map[string]string
	details  []protoadapt.MessageV1
	cause    error
}

// Errorf makes a problem. The message goes to the caller, so it says what to do and nothing internal. A wrapped cause
// (%w) is kept for errors.Is.
func Errorf(code codes.Code, reason corev1.ErrorReason, format string, args ...any) *Problem {
	err := fmt.Errorf(format, args...)
	return &Problem{code: code, reason: Short(reason), message: err.Error(), cause: errors.Unwrap(err)}
}

// Short is a reason without its prefix, as it stands in ErrorInfo.
func Short(r corev1.ErrorReason) string { return strings.TrimPrefix(r.String(), "ERROR_REASON_") }

// With adds a metadata value: a digest, a seq, a file.
func (p *Problem) With(key, value string) *Problem {
	if p.metadata == nil {
		p.metadata = map[string]string{}
	}
	p.metadata[key] = value
	return p
}

// Field adds a field violation.
func (p *Problem) Field(field, description string) *Problem {
	for _, d := range p.details {
		if b, ok := d.(*errdetails.BadRequest); ok {
			b.FieldViolations = append(b.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: field, Description: description})
			return p
		}
	}
	p.details = append(p.details, &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
		{Field: field, Description: description},
	}})
	return p
}

// RetryAfter tells the caller when to try again.
func (p *Problem) RetryAfter(d *durationpb.Duration) *Problem {
	p.details = append(p.details, &errdetails.RetryInfo{RetryDelay: d})
	return p
}

func (p *Problem) Error() string { return p.reason + ": " + p.message }

func (p *Problem) Unwrap() error { return p.cause }

// GRPCStatus makes grpc-go send it as it is.
func (p *Problem) GRPCStatus() *status.Status {
	s := status.New(p.code, p.message)
	details := append([]protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: p.reason, Domain: Domain, Metadata: p.metadata}}, p.details...)
	if with, err := s.WithDetails(details...); err == nil {
		return with
	}
	return s
}

// Reason reads the reason of an error that came over gRPC or was made here; empty when it has none.
func Reason(err error) string {
	if info := errorInfo(err); info != nil {
		return info.GetReason()
	}
	return ""
}

// Metadata reads a value of an error's ErrorInfo.
func Metadata(err error, key string) string { return errorInfo(err).GetMetadata()[key] }

// Is says whether err has the reason.
func Is(err error, reason corev1.ErrorReason) bool { return err != nil && Reason(err) == Short(reason) }

func errorInfo(err error) *errdetails.ErrorInfo {
	s, ok := status.FromError(err)
	if !ok || err == nil {
		return nil
	}
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok && info.GetDomain() == Domain {
			return info
		}
	}
	return nil
}

// Message is an error's text for people, without gRPC's prefix.
func Message(err error) string { return statusPrefix.ReplaceAllString(err.Error(), "") }

// statusPrefix is what grpc-go puts before a status's text, also inside of wrapped errors.
var statusPrefix = regexp.MustCompile(`rpc error: code = \w+ desc = `)

// Temporary says whether the same call may succeed later: the peer is away, overloaded or not ready.
func Temporary(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	switch status.Code(err) {
	case codes.Unavailable, codes.ResourceExhausted:
		return true
	default:
		return false
	}
}
