package verifier

import (
	"context"
	"sync"
	"time"

	"github.com/provenir/provenir/services/verifier/sandbox"
)

// identifyWithin bounds the reading of 30 MB on a disk that sleeps.
const identifyWithin = 30 * time.Second

// identify reads the interpreter once, when the first spec that runs code is compiled: a service that never judges code
// does not pay for it. A failure is not kept, for it may pass.
func identify(pool *sandbox.Pool) func() (sandbox.Identity, error) {
	var mu sync.Mutex
	var known *sandbox.Identity
	return func() (sandbox.Identity, error) {
		mu.Lock()
		defer mu.Unlock()
		if known != nil {
			return *known, nil
		}
		ctx, stop := context.WithTimeout(context.Background(), identifyWithin)
		defer stop()
		id, err := pool.Identity(ctx)
		if err != nil {
			return sandbox.Identity{}, err
		}
		known = &id
		return id, nil
	}
}
