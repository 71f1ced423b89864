package detect

// Severity orders findings. The numbers are those of the contract.
type Severity uint8

// Severities; None is no breach.
const (
	None     Severity = 0
	Info     Severity = 1
	Warn     Severity = 2
	Critical Severity = 3
)

// String is the lower-case word of topics and tables.
func (s Severity) String() string {
	switch s {
	case Info:
		return "info"
	case Warn:
		return "warn"
	case Critical:
		return "critical"
	case None:
	}
	return "none"
}

// Evidence is the number behind a signal. A field is absent unless it is said to be there: absent is not zero.
type Evidence struct {
	Value       float64
	Limit       float64
	Baseline    float64
	HasValue    bool // false also where the value is not finite
	HasLimit    bool
	HasBaseline bool
	Note        string
}

// Signal is what a rule says about one step. A rule that cannot tell, because its metric is absent, gives none.
type Signal struct {
	Kind     string
	Metric   string
	Level    Severity // None: not breached
	Clear    bool     // well inside: counts towards the end of an incident. Between limit and clear nothing is counted
	Need     int      // breaches in a row before an incident opens; 0 means 3
	Span     int      // steps that this signal speaks for; 0 means 1
	Onset    uint64   // step where it began, when HasOnset
	HasOnset bool
	Evidence Evidence
}

// DefaultNeed is how many breaches in a row open an incident where the rule names no number.
const DefaultNeed = 3

// clearShare of a limit is well inside: a value that trembles at the limit neither opens nor ends anything.
const clearShare = 0.8
