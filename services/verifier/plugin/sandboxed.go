package plugin

import (
	"context"

	"github.com/provenir/provenir/services/verifier/sandbox"
)

// In starts plugins behind the layers of a pool.
func In(p *sandbox.Pool) Launch {
	return func(ctx context.Context, c Config, l Listener) (Process, error) {
		d, err := p.StartDaemon(ctx, sandbox.DaemonConfig{Path: c.Path, Args: c.Args, Memory: c.Memory}, l.File)
		if err != nil {
			return nil, err // a nil *sandbox.Daemon in an interface would not be nil
		}
		return d, nil
	}
}
