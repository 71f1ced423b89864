// Package runspec reads the run that a person asks for, from a file and from KEY=VALUE, and says of a value that cannot be
// where it stands: file, line and key. What the values mean together is the orchestrator's to say, which checks them again.
package runspec

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"buf.build/go/protovalidate"

	"github.com/provenir/provenir/cli/app"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	"github.com/provenir/provenir/internal/protoyaml"
)

// Source is the text of a configuration file.
type Source struct {
	name string
	text []byte
}

// Open reads a file, or - for standard input.
func Open(a *app.App, path string) (*Source, error) {
	f, err := a.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, app.Usage(fmt.Errorf("read %s: %w", path, err))
	}
	if path == "-" {
		path = "standard input"
	}
	return &Source{path, b}, nil
}

// Merge puts the file's values over those of spec.
func (s *Source) Merge(spec *orchestratorv1.RunSpec) error {
	if s == nil {
		return nil
	}
	if err := protoyaml.Unmarshal(s.name, s.text, spec); err != nil {
		return app.Usage(err)
	}
	return nil
}

var setLine = regexp.MustCompile(`^--set:\d+: `)

// Set puts KEY=VALUE over spec.
func Set(spec *orchestratorv1.RunSpec, kv string) error {
	key, value, ok := strings.Cut(kv, "=")
	if !ok || key == "" {
		return app.Usage(fmt.Errorf("--set %s: want KEY=VALUE", kv))
	}
	if strings.ContainsAny(kv, "\n\r") {
		return app.Usage(fmt.Errorf("--set %q: want one line", kv))
	}
	if err := protoyaml.Set(spec, key, value); err != nil {
		return app.Usage(errors.New(setLine.ReplaceAllString(err.Error(), "--set: "))) // a flag has no lines
	}
	return nil
}

// Check refuses values out of range before anything is started. A field that is missing is no fault here: flags, uploads and
// the orchestrator fill some.
func Check(spec *orchestratorv1.RunSpec, file *Source, set []string) error {
	var found *protovalidate.ValidationError
	if err := protovalidate.Validate(spec); err == nil {
		return nil
	} else if !errors.As(err, &found) {
		return err
	}
	for _, v := range found.Violations {
		key := protovalidate.FieldPathString(v.Proto.GetField())
		line, there := file.line(key)
		switch {
		case given(set, key):
			return app.Usage(fmt.Errorf("--set: %s: %s", key, v.Proto.GetMessage()))
		case there:
			return app.Usage(fmt.Errorf("%s:%d: %s: %s", file.name, line, key, v.Proto.GetMessage()))
		case v.Proto.GetRuleId() != "required" && !empty(v):
			return app.Usage(fmt.Errorf("%s: %s", key, v.Proto.GetMessage()))
		}
	}
	return nil
}

// empty says that a field has its zero value: nobody gave it, and who fills it later is checked then.
func empty(v *protovalidate.Violation) bool {
	fd := v.FieldDescriptor
	return !v.FieldValue.IsValid() || fd == nil || fd.Message() == nil && !fd.IsList() && !fd.IsMap() && v.FieldValue.Equal(fd.Default())
}

func given(set []string, key string) bool {
	for _, kv := range set {
		if k, _, _ := strings.Cut(kv, "="); k == key {
			return true
		}
	}
	return false
}
