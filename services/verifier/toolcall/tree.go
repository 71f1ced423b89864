package toolcall

// Outcome is what a response holds.
type Outcome string

// The outcomes.
const (
	Calls     Outcome = "calls"
	None      Outcome = "none"
	Malformed Outcome = "malformed"
)

// Call is one call. Arguments are decoded JSON: map[string]any, []any, string, bool, nil and json.Number, so that large
// integers stay exact.
type Call struct {
	Name      string
	Arguments map[string]any
	ID        string // empty where the format has none
}

// Parsed is how a response was read.
type Parsed struct {
	Outcome Outcome
	Calls   []Call // of Outcome Calls
	Format  string // by which it was read
	Reason  string // why it is malformed
	Prose   bool   // text stands beside the calls
}

func malformed(format, reason string) Parsed {
	return Parsed{Outcome: Malformed, Format: format, Reason: reason}
}

// found makes the result of a reader: no calls and no error mean None.
func found(format string, calls []Call, prose bool, err error) Parsed {
	switch {
	case err != nil:
		return malformed(format, err.Error())
	case len(calls) == 0:
		return Parsed{Outcome: None, Format: format, Prose: prose}
	}
	return Parsed{Outcome: Calls, Calls: calls, Format: format, Prose: prose}
}
