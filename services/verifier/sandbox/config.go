package sandbox

import (
	"log/slog"
	"runtime"

	"github.com/provenir/provenir/internal/clock"
)

// Config says how jobs are run. The zero value is usable.
type Config struct {
	MinTier  Tier   // answers below it are refused; 0 means T2
	MaxTier  Tier   // layers above it are not used, for comparison and tests; 0 means all but T4, which has to be asked for
	GVisor   string // path of runsc; empty looks in PATH
	Python   string // path of the interpreter; empty looks in PATH, then /usr/bin/python3
	PoolSize int    // jobs at once; 0 means the number of cores
	Recycle  int    // jobs after which a zygote is replaced; 0 means 10,000
	Growth   int64  // bytes of resident memory by which a zygote may grow before it is replaced; 0 means 4 MiB

	// AllowUnsandboxed takes MinTier down to T0: where the machine offers no T2, jobs run at T1, else T0. It is a person's
	// decision for one call and belongs into no file of settings.
	AllowUnsandboxed bool
	// Plain uses no layer at all, for comparison and tests. It wants AllowUnsandboxed.
	Plain bool
}

func (c Config) fill() Config {
	if !c.AllowUnsandboxed {
		set(&c.MinTier, T2)
	}
	set(&c.MaxTier, T3)
	set(&c.PoolSize, runtime.GOMAXPROCS(0))
	set(&c.Recycle, 10_000)
	set(&c.Growth, 4<<20)
	return c
}

// Deps are the neighbours.
type Deps struct {
	Clock clock.Clock  // nil means the machine's
	Log   *slog.Logger // nil means silence
}

func (d Deps) fill() Deps {
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return d
}
