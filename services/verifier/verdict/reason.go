package verdict

import "fmt"

// Reason is why there is no reward. The values are those of core.v1.UnscoredReason.
type Reason uint8

// The reasons of all verifiers.
const (
	BadReference         Reason = 1
	BadSpec              Reason = 2
	BadRow               Reason = 3
	BadTests             Reason = 4
	NoTests              Reason = 5
	TestsUnsupported     Reason = 6
	Deadline             Reason = 7
	Overloaded           Reason = 8
	SandboxError         Reason = 9
	IsolationUnavailable Reason = 10
	LanguageUnavailable  Reason = 11
	JudgeError           Reason = 12
	RemoteError          Reason = 13
	NonFinite            Reason = 14
	OutOfRange           Reason = 15
	Undecided            Reason = 16
	Cancelled            Reason = 17
)

var reasonNames = [...]string{
	BadReference: "bad_reference", BadSpec: "bad_spec", BadRow: "bad_row", BadTests: "bad_tests", NoTests: "no_tests",
	TestsUnsupported: "tests_unsupported", Deadline: "deadline", Overloaded: "overloaded", SandboxError: "sandbox_error",
	IsolationUnavailable: "isolation_unavailable", LanguageUnavailable: "language_unavailable", JudgeError: "judge_error",
	RemoteError: "remote_error", NonFinite: "non_finite", OutOfRange: "out_of_range", Undecided: "undecided",
	Cancelled: "cancelled",
}

func (r Reason) String() string {
	if int(r) < len(reasonNames) && reasonNames[r] != "" {
		return reasonNames[r]
	}
	return fmt.Sprintf("reason(%d)", r)
}

// Retryable says whether another try may succeed.
func (r Reason) Retryable() bool {
	switch r {
	case Deadline, Overloaded, SandboxError, RemoteError, JudgeError:
		return true
	default:
		return false
	}
}
