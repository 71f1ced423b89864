package spec

import (
	"fmt"
	"strings"
)

// BadSpecError says what is wrong with a spec and what would be right.
type BadSpecError struct {
	Path    string // the verifier, and the members above it: composite.members[1].regex
	Field   string
	Value   string
	Allowed string
}

func (e *BadSpecError) Error() string {
	return fmt.Sprintf("spec %s: %s is %s; allowed: %s", e.Path, e.Field, e.Value, e.Allowed)
}

// UnknownVerifierError says that no verifier has that name.
type UnknownVerifierError struct {
	Name    string
	Nearest []string // the likeliest first; all names where none is near
}

func (e *UnknownVerifierError) Error() string {
	return fmt.Sprintf("no verifier %q; did you mean %s?", e.Name, strings.Join(e.Nearest, " or "))
}

// NotAvailableError says that the verifier is known and not in this build.
type NotAvailableError struct{ Name string }

func (e *NotAvailableError) Error() string {
	return fmt.Sprintf("verifier %q is known and not in this build; ListVerifiers names those that are", e.Name)
}

// PatternError says that a regular expression does not compile.
type PatternError struct {
	Path    string
	Pattern string
	Engine  string // RE2 or PCRE
	Err     error
}

func (e *PatternError) Error() string {
	return fmt.Sprintf("spec %s: pattern %q does not compile as %s: %v", e.Path, e.Pattern, e.Engine, e.Err)
}

func (e *PatternError) Unwrap() error { return e.Err }

// SchemaError says that a JSON Schema does not compile.
type SchemaError struct {
	Path string
	Err  error
}

func (e *SchemaError) Error() string {
	return fmt.Sprintf("spec %s: the JSON Schema does not compile: %v", e.Path, e.Err)
}

func (e *SchemaError) Unwrap() error { return e.Err }

// ProgramError says that a program of the user's cannot be run.
type ProgramError struct {
	Path string
	Err  error
}

func (e *ProgramError) Error() string {
	return fmt.Sprintf("spec %s: the program does not compile: %v", e.Path, e.Err)
}

func (e *ProgramError) Unwrap() error { return e.Err }
