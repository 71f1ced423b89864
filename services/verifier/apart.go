package verifier

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/services/verifier/rules"
	"github.com/provenir/provenir/services/verifier/sandbox"
)

// specs are the compiled specs of a caller. Programs of other tenants run apart: their steps and time are bounded anywhere, their
// memory is not. Digests are the same in both.
func (s *Service) specs(ctx context.Context) *compiledSpecs {
	if caller, ok := identity.FromContext(ctx); ok && caller.Tenant != identity.DefaultTenant && caller.Tenant != "" {
		return s.others
	}
	return s.compiled
}

// startWorker starts this program behind the layers of the sandbox, to run programs of others.
func (s *Service) startWorker(ctx context.Context) (rules.Worker, error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make a socket for a worker: %w", err)
	}
	theirs := os.NewFile(uintptr(fds[1]), "worker")
	defer theirs.Close()
	if err := syscall.SetNonblock(fds[0], true); err != nil {
		return nil, err
	}
	ours := os.NewFile(uintptr(fds[0]), "worker")
	d, err := s.sandbox.StartDaemon(ctx, sandbox.DaemonConfig{Self: rules.WorkerName, Memory: rules.WorkerMemory, Processes: 64}, theirs)
	if err != nil {
		ours.Close()
		return nil, err
	}
	return &worker{ours, d}, nil
}

// worker is a process with our end of its socket.
type worker struct {
	*os.File
	daemon *sandbox.Daemon
}

// Kill ends it and waits.
func (w *worker) Kill() {
	w.daemon.Kill()
	_ = w.Close()
}
