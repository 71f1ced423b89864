package verdict

import "fmt"

// Severity orders findings; the values are those of core.v1.Severity.
type Severity uint8

// The severities.
const (
	Info     Severity = 1
	Warn     Severity = 2
	Critical Severity = 3
)

func (s Severity) String() string {
	switch s {
	case Info:
		return "info"
	case Warn:
		return "warn"
	case Critical:
		return "critical"
	default:
		return fmt.Sprintf("severity(%d)", s)
	}
}

// Finding is something that wants to be seen. It never changes a reward by itself.
type Finding struct {
	Kind     string // lower_snake, stable
	Severity Severity
	Detail   string
	Quote    *Quote
}

// Quote points at the evidence in a response.
type Quote struct {
	Text       string
	Start, End int // bytes
}
