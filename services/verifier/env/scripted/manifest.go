package scripted

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/provenir/provenir/services/verifier/env"
)

// File is the name of the manifest in an environment's folder.
const File = "environment.yaml"

// maxFile bounds the manifest and the program.
const maxFile = 256 << 10

// manifest is environment.yaml.
type manifest struct {
	Name           string     `json:"name"`
	Version        string     `json:"version"`
	Summary        string     `json:"summary"`
	Program        string     `json:"program"` // name.star or name.py, in the same folder
	Judge          string     `json:"judge"`   // answer (the task's spec judges it) or state (def verdict does)
	RequireTools   bool       `json:"require_tools"`
	MaxTurns       int        `json:"max_turns"`
	ErrorAllowance int        `json:"error_allowance"`
	StepPenalty    float64    `json:"step_penalty"`
	ToolLimit      string     `json:"tool_limit"`
	Tools          []env.Tool `json:"tools"`

	limit  time.Duration
	source string
}

// The functions of a program that are no tools.
const (
	defTask     = "task"
	defProgress = "progress"
	defVerdict  = "verdict"
)

// read reads a folder.
func read(folder string) (*manifest, error) {
	path := filepath.Join(folder, File)
	raw, err := readFile(path)
	if err != nil {
		return nil, err
	}
	wrong := func(format string, args ...any) (*manifest, error) {
		return nil, fmt.Errorf("%s: %w", path, fmt.Errorf(format, args...))
	}
	d := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict())
	var doc any
	if err := d.Decode(&doc); err != nil {
		return wrong("%s", yaml.FormatError(err, false, false))
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return wrong("more than one document")
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return wrong("%w", err)
	}
	j := json.NewDecoder(bytes.NewReader(text))
	j.DisallowUnknownFields()
	m := &manifest{Judge: "answer", limit: 10 * time.Second}
	if err := j.Decode(m); err != nil {
		return wrong("%w", err)
	}
	if err := m.check(); err != nil {
		return wrong("%w", err)
	}
	program, err := readFile(filepath.Join(folder, m.Program))
	if err != nil {
		return nil, err
	}
	m.source = string(program)
	sum := sha256.Sum256(slices.Concat(text, []byte{0}, program))
	m.Version += "." + hex.EncodeToString(sum[:6]) // whoever edits it has another environment, whatever the version says
	return m, nil
}

func (m *manifest) check() error {
	switch {
	case m.Version == "":
		return errors.New("version: is needed")
	case m.Program != filepath.Base(m.Program) || !strings.HasSuffix(m.Program, ".star") && !strings.HasSuffix(m.Program, ".py"):
		return fmt.Errorf("program: %q; want the name of a .star or .py file in the same folder", m.Program)
	case m.Judge != "answer" && m.Judge != "state":
		return fmt.Errorf("judge: %q; want answer or state", m.Judge)
	}
	if m.ToolLimit != "" {
		d, err := time.ParseDuration(m.ToolLimit)
		if err != nil || d < 100*time.Millisecond || d > 10*time.Second {
			return fmt.Errorf("tool_limit: %q; want 100ms to 10s", m.ToolLimit)
		}
		m.limit = d
	}
	if len(m.Tools) == 0 {
		return errors.New("tools: at least one is needed")
	}
	for _, t := range m.Tools {
		if slices.Contains([]string{defTask, defProgress, defVerdict}, t.Name) {
			return fmt.Errorf("tools: %s is no name for a tool: the program has another def of it", t.Name)
		}
		if err := closed(t); err != nil {
			return err
		}
	}
	return nil
}

// closed refuses a tool that takes arguments that nobody named: a policy that gives one would make the call fail as if the program
// were at fault, which leaves an episode without a verdict.
func closed(t env.Tool) error {
	var s struct {
		Type       string         `json:"type"`
		Properties map[string]any `json:"properties"`
		Additional *bool          `json:"additionalProperties"`
	}
	if err := json.Unmarshal(t.Parameters, &s); err != nil || s.Type != "object" || s.Additional == nil || *s.Additional {
		return fmt.Errorf("tools: %s: parameters need type: object and additionalProperties: false", t.Name)
	}
	if _, has := s.Properties["state"]; has {
		return fmt.Errorf("tools: %s: no argument may be named state, which is the first parameter of every tool", t.Name)
	}
	return nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s: more than %d bytes", path, maxFile)
	}
	return b, err
}
