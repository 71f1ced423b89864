package verifier

import (
	"context"
	"sync"
	"time"

	"github.com/provenir/provenir/services/verifier/sandbox"
)

// identifyWithin bounds the reading of 30 MB on a disk that sleeps.
const identifyWithin = 30 * time.Second

// identify reads the interpreter when the first spec that runs code is compiled, and again when it was replaced: a service
// that never judges code does not pay for it. A failure is not kept, for it may pass. Packages are read as often as the
// interpreter: who installs some while a run is alive changes nothing that the digest names.
func identify(pool *sandbox.Pool) func(packages bool) (sandbox.Identity, error) {
	var mu sync.Mutex
	known := map[bool]sandbox.Identity{}
	return func(packages bool) (sandbox.Identity, error) {
		mu.Lock()
		defer mu.Unlock()
		ctx, stop := context.WithTimeout(context.Background(), identifyWithin)
		defer stop()
		binary, err := pool.Binary(ctx)
		if err != nil {
			return sandbox.Identity{}, err
		}
		if id, ok := known[packages]; ok && id.Binary == binary {
			return id, nil
		}
		id, err := pool.Identity(ctx)
		if err == nil && packages {
			id.Packages, err = pool.Packages(ctx)
		}
		if err != nil {
			return sandbox.Identity{}, err
		}
		known[packages] = id
		return id, nil
	}
}
