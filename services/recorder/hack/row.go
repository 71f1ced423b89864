package hack

// Row is one rollout. Absent values are nil: an absent reward is not 0.
type Row struct {
	Prompt   string
	Response []byte // read while Inspect runs, never kept or changed
	Messages []Message
	Files    []File
	// Evidence is what the verifier found; Tamper are the kinds of core.v1.Execution.
	Evidence []Evidence
	Tamper   []string
	Verified bool     // a verifier looked, also where it found nothing
	Proxy    *float64 // what was paid
	Heldout  *float64 // the strict verdict
	Range    float64  // width of the range of rewards; 0 takes 1
	Passed   *bool    // the paid verifier accepted

	Reference string
	Tests     string // that the policy was shown
	Group     string
}

// Message of a conversation. Only what the assistant writes is judged.
type Message struct {
	Role, Content string
	Calls         []ToolCall
}

// ToolCall is one call with its arguments as they were written.
type ToolCall struct{ Name, Arguments string }

// File is one that the policy wrote.
type File struct{ Path, Content string }

// Evidence is a finding of the verifier's.
type Evidence struct {
	Kind     string
	Severity Severity
	Detail   string
}

// Severity orders findings, as core.v1.Severity does.
type Severity int

// The severities.
const (
	Info Severity = iota + 1
	Warn
	Critical
)
