package sandbox

// Test is source that a judge process runs.
type Test struct{ Name, Source string }

// Suite is what a judge process is asked to judge with. Equal suites share a judge process, one candidate after the other.
type Suite struct {
	Mode    string // func or pytest
	Entry   string // the candidate's function; may be empty
	Module  string // name under which tests import the candidate; empty is solution
	Objects string // reject or flag: whether two objects of the candidate's may be compared
	Tests   []Test
}

// Row is a test's outcome as the judge process saw it.
type Row struct {
	Test    string
	Outcome Outcome
	Detail  string
}

// Outcome of a test.
type Outcome string

// The outcomes.
const (
	Passed      Outcome = "pass"
	Failed      Outcome = "fail"        // an assertion
	Errored     Outcome = "error"       // any other exception
	ForgedTest  Outcome = "forged"      // the candidate would have decided it
	CandidGone  Outcome = "gone"        // the candidate ended
	CandidExit  Outcome = "exit"        // the candidate raised SystemExit or its kin
	TooLong     Outcome = "long"        // more messages or items than a test can need
	Unsupported Outcome = "unsupported" // the test passes what cannot be copied
	Skipped     Outcome = "skip"        // the test says that it does not count, or that it is to fail
)

// Judged is a candidate as a judge process saw it.
type Judged struct {
	Result
	Load        Load
	Collected   []string // the tests that the suite defines; those without a row were not run
	Rows        []Row
	Tamper      []string
	Flags       []string
	Refused     string // bad_tests, no_tests or tests_unsupported: the suite's fault, found before the candidate was asked
	Detail      string
	JudgeFailed string // the judge process failed by itself; nothing is known
}
