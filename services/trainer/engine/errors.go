package engine

import "errors"

// Error is a refusal that names a reason of the trainer's contract (trainer.proto, Reasons). Detail says what was found
// where, and what to do about it.
type Error struct {
	Reason string
	Detail string
	Err    error
}

func (e *Error) Error() string {
	s := e.Reason + ": " + e.Detail
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrorReason is the reason by itself.
func (e *Error) ErrorReason() string { return e.Reason }

// ReasonOf finds the reason of the first error in the chain that has one, whichever package made it (the loaders of
// weights, tokenizers and the ONNX library have error types of their own); empty when none has.
func ReasonOf(err error) string {
	var r interface{ ErrorReason() string }
	if errors.As(err, &r) {
		return r.ErrorReason()
	}
	return ""
}
