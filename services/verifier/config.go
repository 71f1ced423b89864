package verifier

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/provenir/provenir/internal/clock"
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
	// Code names the build in verifier digests; empty reads it from the binary.
	Code string
}

// Deps are the verifier's neighbours.
type Deps struct {
	Clock clock.Clock
	Log   *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	if c.Workers < 0 || c.WindowItems < 0 || c.WindowBytes < 0 || c.Deadline < 0 || c.Remember < 0 || c.RememberFor < 0 {
		return c, fmt.Errorf("verifier: a setting is negative: %+v", c)
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
