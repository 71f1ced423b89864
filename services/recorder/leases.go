package recorder

import (
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// leaseFor is how long a tracker that says nothing keeps its run. Trackers speak every 5 s.
const leaseFor = 15 * time.Second

// maxLeases bounds what is remembered; expired ones go first.
const maxLeases = 4096

// leases say which process writes a tracked run. The fence on disk keeps two from writing at once; a lease keeps the second
// from taking the run away from one that lives. After a restart of the recorder nobody holds a lease until he speaks again.
type leases struct {
	mu sync.Mutex
	by map[string]lease
}

type lease struct {
	epoch uint64
	seen  time.Time
}

// take renews a lease, or gives it to a newer epoch when its holder has been silent for long enough.
func (l *leases) take(run string, epoch uint64, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	held, ok := l.by[run]
	if left := held.seen.Add(leaseFor).Sub(now); ok && epoch != held.epoch && left > 0 {
		return rpc.Errorf(codes.Aborted, corev1.ErrorReason_ERROR_REASON_LEASE_HELD,
			"another process writes run %s and was heard %s ago; if it is dead, its lease ends in %s", run, now.Sub(held.seen).Round(time.Second), left.Round(time.Second)).
			With("run", run).With("epoch", fmt.Sprint(held.epoch))
	}
	if l.by == nil {
		l.by = map[string]lease{}
	}
	if len(l.by) >= maxLeases {
		for id, x := range l.by {
			if now.Sub(x.seen) > leaseFor {
				delete(l.by, id)
			}
		}
	}
	l.by[run] = lease{epoch, now}
	return nil
}

func (l *leases) end(run string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.by, run)
}
