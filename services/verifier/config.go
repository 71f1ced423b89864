package verifier

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/services/verifier/env"
	"github.com/provenir/provenir/services/verifier/plugin"
	"github.com/provenir/provenir/services/verifier/sandbox"
)

// Config are the verifier's settings; the zero value is usable.
type Config struct {
	// Workers judge at once; 0 takes one a core.
	Workers int
	// WindowItems and WindowBytes are what a pump may have under way; 0 takes 256 and 8 MiB.
	WindowItems int
	WindowBytes int64
	// Deadline of a verdict where the caller names none; 0 takes 30 s.
	Deadline time.Duration
	// Remember is how many verdicts are kept for a caller that asks again, and RememberFor how long; 0 takes 65,536 and
	// 10 min.
	Remember    int
	RememberFor time.Duration
	// Evidence says what becomes of the document behind each verdict; the zero value stores it.
	Evidence Evidence
	// Episodes may be open at once; 0 takes 2,048.
	Episodes int
	// Code names the build in verifier digests; empty reads it from the binary.
	Code string
	// Plugins are verifiers in programs of this machine, by the names that specs have for them.
	Plugins map[string]plugin.Config
	// Environments are folders of environments in Starlark or Python (package scripted), beside the built-in ones.
	Environments []string
	// Sandbox says how untrusted programs are run.
	Sandbox sandbox.Config
}

// Evidence is what becomes of the document behind a verdict. It belongs to how a run is recorded: verdicts name their
// evidence by digest, so two runs are equal in bytes only where both have it or neither has.
type Evidence uint8

// The choices.
const (
	EvidenceStored Evidence = iota // as a blob
	EvidenceNone                   // there is no document, and verdicts have no evidence_digest
)

// Deps are the verifier's neighbours.
type Deps struct {
	// Blobs keep evidence, and large parts of candidates; without them there is neither.
	Blobs   *blob.Store
	Metrics prometheus.Registerer // nil counts nothing
	Tracer  trace.Tracer          // nil takes the process's own
	// Environments are played beside the built-in ones.
	Environments []env.Definition
	Clock        clock.Clock
	Log          *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	if c.Workers < 0 || c.WindowItems < 0 || c.WindowBytes < 0 || c.Deadline < 0 || c.Remember < 0 || c.RememberFor < 0 || c.Episodes < 0 || c.Evidence > EvidenceNone {
		return c, fmt.Errorf("verifier: a setting is out of its range: %+v", c)
	}
	if c.Workers == 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	if c.WindowItems == 0 {
		c.WindowItems = 256
	}
	if c.WindowBytes == 0 {
		c.WindowBytes = 8 << 20
	}
	if c.Deadline == 0 {
		c.Deadline = 30 * time.Second
	}
	if c.Remember == 0 {
		c.Remember = 65_536
	}
	if c.RememberFor == 0 {
		c.RememberFor = 10 * time.Minute
	}
	if c.Episodes == 0 {
		c.Episodes = 2048
	}
	if c.Code == "" {
		c.Code = build()
	}
	return c, nil
}

// build names the binary: module version and revision, as far as the toolchain wrote them down.
func build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	code := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" || s.Key == "vcs.modified" && s.Value == "true" {
			code += " " + s.Value
		}
	}
	return code
}
