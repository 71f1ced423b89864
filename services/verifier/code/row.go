package code

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// maxTests is how much test source a row may have, in bytes.
const maxTests = 4 << 20

// hiddenColumn holds the tests of the held-out channel.
const hiddenColumn = "hidden_tests"

// task is a row as this verifier reads it.
type task struct {
	entry   string
	visible []sandbox.Test
	hidden  []sandbox.Test
	pairs   []pair // of stdio
}

// pair is an input and what must be printed for it.
type pair struct{ stdin, want string }

// rowError is a row that cannot be judged, with the reason why.
type rowError struct {
	reason verdict.Reason
	detail string
}

func (e *rowError) Error() string { return e.reason.String() + ": " + e.detail }

func bad(reason verdict.Reason, format string, a ...any) error {
	return &rowError{reason, fmt.Sprintf(format, a...)}
}

// readTask reads the columns of a row.
func (o *options) readTask(r verdict.Row) (*task, error) {
	t := &task{entry: o.entry}
	if raw, ok := r.Get("entry_point"); ok {
		if err := json.Unmarshal(raw, &t.entry); err != nil {
			return nil, bad(verdict.BadRow, "column entry_point is not a text")
		}
	}
	if o.task == "stdio" {
		return t, t.readPairs(r)
	}
	var err error
	if t.visible, err = tests(r, "tests"); err != nil {
		return nil, err
	}
	if t.hidden, err = tests(r, hiddenColumn); err != nil {
		return nil, err
	}
	if len(t.visible) == 0 {
		return nil, bad(verdict.NoTests, "column tests is absent or empty")
	}
	return t, nil
}

// tests reads a column of tests: a text is one test, a list one for each element.
func tests(r verdict.Row, column string) ([]sandbox.Test, error) {
	raw, ok := r.Get(column)
	if !ok || string(raw) == "null" {
		return nil, nil
	}
	if len(raw) > maxTests {
		return nil, bad(verdict.BadTests, "column %s has %d bytes, at most %d are read", column, len(raw), maxTests)
	}
	list, err := oneOrMore(raw)
	if err != nil {
		return nil, bad(verdict.BadTests, "column %s: %v", column, err)
	}
	var out []sandbox.Test
	for i, source := range list {
		if blank(source) {
			if len(list) == 1 {
				return nil, nil
			}
			return nil, bad(verdict.BadTests, "column %s: test %d is empty", column, i+1)
		}
		out = append(out, sandbox.Test{Name: fmt.Sprintf("%s[%d]", column, i), Source: source})
	}
	return out, nil
}

// blank says whether a source has nothing but comments.
func blank(source string) bool {
	for line := range strings.SplitSeq(source, "\n") {
		if s := strings.TrimSpace(line); s != "" && s[0] != '#' {
			return false
		}
	}
	return true
}

func oneOrMore(raw []byte) ([]string, error) {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}, nil
	}
	var list []string
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, errors.New("want a text or a list of texts")
	}
	return list, nil
}

// readPairs reads stdin and expected_stdout (texts, or lists of the same length), or tests as a list of such objects.
func (t *task) readPairs(r verdict.Row) error {
	want, ok := r.Get("expected_stdout")
	if !ok {
		return t.readPairList(r)
	}
	wants, err := oneOrMore(want)
	if err != nil {
		return bad(verdict.BadTests, "column expected_stdout: %v", err)
	}
	stdins := make([]string, len(wants))
	if raw, ok := r.Get("stdin"); ok && string(raw) != "null" {
		if stdins, err = oneOrMore(raw); err != nil {
			return bad(verdict.BadTests, "column stdin: %v", err)
		}
	}
	if len(stdins) != len(wants) {
		return bad(verdict.BadTests, "%d inputs and %d expected outputs", len(stdins), len(wants))
	}
	for i := range wants {
		t.pairs = append(t.pairs, pair{stdins[i], wants[i]})
	}
	if len(t.pairs) == 0 {
		return bad(verdict.NoTests, "column expected_stdout is empty")
	}
	return nil
}

func (t *task) readPairList(r verdict.Row) error {
	raw, ok := r.Get("tests")
	if !ok {
		return bad(verdict.NoTests, "neither expected_stdout nor tests is there")
	}
	var list []struct {
		Stdin string  `json:"stdin"`
		Want  *string `json:"expected_stdout"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return bad(verdict.BadTests, "column tests: want a list of objects with stdin and expected_stdout")
	}
	for i, p := range list {
		if p.Want == nil {
			return bad(verdict.BadTests, "test %d has no expected_stdout", i+1)
		}
		t.pairs = append(t.pairs, pair{p.Stdin, *p.Want})
	}
	if len(t.pairs) == 0 {
		return bad(verdict.NoTests, "column tests is empty")
	}
	return nil
}
