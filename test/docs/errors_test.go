// Package docs checks that what the documents say is what the code does.
package docs

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/errors.md anew")

const source = "../../proto/provenir/core/v1/error_reason.proto"

// reason is a value of the enum with what its comment says.
type reason struct{ name, meaning string }

// reasons reads the enum. It refuses a value without a comment of the form "NAME: what to do".
func reasons(t *testing.T) []reason {
	t.Helper()
	b, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	value := regexp.MustCompile(`(?m)^\s*ERROR_REASON_([A-Z0-9_]+) = \d+;`)
	comment := regexp.MustCompile(`(?m)^\s*// (?:ERROR_REASON_([A-Z0-9_]+)(?::| is) )?(.*)$`)
	var out []reason
	var about, text string
	for line := range strings.Lines(string(b)) {
		if m := comment.FindStringSubmatch(line); m != nil {
			if m[1] != "" {
				about, text = m[1], ""
			}
			text = strings.TrimSpace(text + " " + strings.TrimSpace(m[2]))
			continue
		}
		m := value.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if about != m[1] || text == "" {
			t.Errorf("%s has no comment that says what it means and what to do", m[1])
		}
		if m[1] != "UNSPECIFIED" {
			out = append(out, reason{m[1], text})
		}
		about, text = "", ""
	}
	if len(out) < 50 {
		t.Fatalf("only %d reasons were found in %s: its form has changed", len(out), source)
	}
	return out
}

const head = `# Error reasons

An error carries ` + "`google.rpc.ErrorInfo`" + ` with one of these reasons and the domain ` + "`provenir.dev`" + `. Branch on the reason, never on
the text. Over REST it stands in ` + "`details`" + ` of the answer, which is a ` + "`google.rpc.Status`" + `.

This page is made from ` + "`proto/provenir/core/v1/error_reason.proto`" + `; after a change there run ` + "`go test ./test/docs -update`" + `.

| reason | what it means, and what to do |
|---|---|
`

func TestErrorsPageIsFresh(t *testing.T) {
	var page bytes.Buffer
	page.WriteString(head)
	for _, r := range reasons(t) {
		fmt.Fprintf(&page, "| `%s` | %s |\n", r.name, strings.ToUpper(r.meaning[:1])+strings.ReplaceAll(r.meaning[1:], "|", `\|`))
	}
	if *update {
		if err := os.WriteFile("../../docs/errors.md", page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("../../docs/errors.md")
	if err != nil || !bytes.Equal(have, page.Bytes()) {
		t.Errorf("docs/errors.md is stale; run: go test ./test/docs -update (%v)", err)
	}
}

// code reads everything that may raise a reason: no tests, nothing generated.
func code(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, root := range []string{"cli", "internal", "ledger", "mesh", "passport", "services"} {
		err := filepath.WalkDir(filepath.Join("..", "..", root), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			b, err := os.ReadFile(path)
			all.Write(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// A reason that nothing raises is a promise that nobody keeps. Each exception says why it is one; when its code comes,
// this test asks for the line to go.
func TestEveryReasonIsRaised(t *testing.T) {
	used := map[string]bool{}
	// Engines raise theirs as texts, which the trainer looks up in the enum.
	name := regexp.MustCompile(`(?:ErrorReason_ERROR_REASON_|")([A-Z][A-Z0-9_]+)`)
	for line := range strings.Lines(code(t)) {
		if strings.Contains(line, "rpc.Is(") {
			continue // asks for a reason and raises none
		}
		for _, m := range name.FindAllStringSubmatch(line, -1) {
			used[m[1]] = true
		}
	}
	var silent []string
	for _, r := range reasons(t) {
		if !used[r.name] {
			silent = append(silent, r.name)
		}
	}
	for _, name := range silent {
		if why, ok := unraised[name]; ok {
			t.Logf("not raised yet: %s (%s)", name, why)
		} else {
			t.Errorf("nothing raises %s: raise it, or say in this file why not yet", name)
		}
	}
	for name := range unraised {
		if !slices.Contains(silent, name) {
			t.Errorf("%s is raised now, or gone: take it off the list of exceptions", name)
		}
	}
}
