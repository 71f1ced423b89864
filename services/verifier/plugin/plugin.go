// Package plugin runs verifiers of other languages as programs of its own: an executable that is started with a listening
// unix socket at descriptor 3, says one line on its standard output, and then serves VerifierService on that socket.
//
// It is started when it is first asked, behind the layers of the sandbox, without a network, and ended and started again when
// it dies, does not answer in time, or gives an answer that cannot be one; each failure in a row doubles the pause before the
// next start. What it answers is checked as that of any remote verifier. Which executables there are is for those who run
// this service to say, never for a spec.
package plugin

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/provenir/provenir/services/verifier/remote"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/text"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Name is the verifier's.
const Name = "plugin"

// Handshake is the line that a plugin says when it can be asked.
const Handshake = "provenir-verifier|1"

// Config is a plugin of this machine.
type Config struct {
	Path   string   // of the executable, absolute; its folder is all that it sees beside /usr
	Args   []string // after its name
	Memory int64    // bytes; 0 is 512 MiB
}

// Process is a plugin that was started.
type Process interface {
	Stdout() io.Reader
	Done() <-chan struct{} // closed when it is dead
	Said() string          // the beginning of its standard error
	Kill()                 // and wait
}

// Descriptor describes plugin.
func Descriptor() spec.Descriptor {
	return spec.Descriptor{
		Name: Name, Summary: "a verifier in a program that this machine's settings name",
		Options: []spec.Option{
			{Name: "name", Type: spec.Text, Required: true, Doc: "of the plugin, as the settings have it (verifier.plugins)"},
			{Name: "verifier", Type: spec.Text, Required: true, Doc: "its name there, as ListVerifiers has it"},
			{Name: "options", Type: spec.Document, Doc: "options of the verifier there"},
			{Name: "timeout", Type: spec.Number, Default: 10.0, Min: 0.01, Max: 600, Doc: "seconds for one answer"},
			text.FieldsOption(),
		},
	}
}

// New asks the plugin what it is. The error is a *spec.BadSpecError.
func (h *Host) New(path string, v spec.Values) (verdict.Judge, error) {
	name := v.String("name")
	r := h.runners[name]
	if r == nil {
		known := strings.Join(slices.Sorted(maps.Keys(h.runners)), ", ")
		if known == "" {
			known = "none: the settings name no plugins (verifier.plugins)"
		}
		return nil, &spec.BadSpecError{Path: path, Field: "name", Value: name, Allowed: known}
	}
	return remote.Over(Name, path, v, "name", name, r)
}

// Parse reads plugins as a setting has them: name=/path/of/the/executable, separated by commas.
func Parse(setting string) (map[string]Config, error) {
	out := map[string]Config{}
	for part := range strings.SplitSeq(setting, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, path, ok := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case !ok || name == "" || !strings.HasPrefix(path, "/"):
			return nil, fmt.Errorf("verifier.plugins has %q; want name=/path/of/the/executable, separated by commas", part)
		case out[name].Path != "":
			return nil, fmt.Errorf("verifier.plugins names %q twice", name)
		}
		out[name] = Config{Path: path}
	}
	return out, nil
}

// notStarted is a plugin that cannot be asked now.
type notStarted struct {
	name   string
	reason verdict.Reason
	err    error
}

func (e *notStarted) Error() string          { return fmt.Sprintf("plugin %s: %v", e.name, e.err) }
func (e *notStarted) Unwrap() error          { return e.err }
func (e *notStarted) Reason() verdict.Reason { return e.reason }

// Launch starts an executable with a listening socket.
type Launch func(ctx context.Context, c Config, l Listener) (Process, error)
