//go:build !linux

package sandbox

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// Worker is something that this program would do in a process of its own.
type Worker struct {
	Name string
	Run  func() error
}

// Init does nothing: only Linux has sandboxes.
func Init(...Worker) {}

// Pool refuses every job: what stands between a job and the host is Linux's.
type Pool struct{ cfg Config }

// New makes a pool that refuses.
func New(cfg Config, _ Deps) (*Pool, error) { return &Pool{cfg.fill()}, nil }

// Report says that there is nothing.
func (p *Pool) Report(context.Context) (*Report, error) {
	return &Report{
		Tier: T0, MinTier: p.cfg.MinTier, Kernel: runtime.GOOS, CgroupMode: "none",
		Layers:   []Layer{{"namespaces", Unavailable, "the system is " + runtime.GOOS}},
		Remedies: []string{"judge code on Linux; a virtual machine or container host will do"},
	}, nil
}

func (p *Pool) refuse(ctx context.Context) error {
	r, err := p.Report(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSandbox, err)
	}
	return &IsolationError{r}
}

// Run refuses.
func (p *Pool) Run(ctx context.Context, _ Job) (Result, error) { return Result{}, p.refuse(ctx) }

// Open refuses.
func (p *Pool) Open(ctx context.Context, _ Job) (*Session, Load, error) {
	return nil, Load{}, p.refuse(ctx)
}

// Judge refuses.
func (p *Pool) Judge(ctx context.Context, _ Job, _ *Suite) (Judged, error) {
	return Judged{}, p.refuse(ctx)
}

// Identity refuses.
func (p *Pool) Identity(ctx context.Context) (Identity, error) { return Identity{}, p.refuse(ctx) }

// Binary refuses.
func (p *Pool) Binary(ctx context.Context) (string, error) { return "", p.refuse(ctx) }

// Packages refuses.
func (p *Pool) Packages(ctx context.Context) (string, error) { return "", p.refuse(ctx) }

// Daemon does not exist here.
type Daemon struct{}

// StartDaemon refuses.
func (p *Pool) StartDaemon(ctx context.Context, _ DaemonConfig, _ *os.File) (*Daemon, error) {
	return nil, p.refuse(ctx)
}

// Stdout gives nothing.
func (*Daemon) Stdout() io.Reader { return strings.NewReader("") }

// Done is nil: it never was.
func (*Daemon) Done() <-chan struct{} { return nil }

// Said is nothing.
func (*Daemon) Said() string { return "" }

// Kill has nothing to kill.
func (*Daemon) Kill() {}

// GVisor refuses as p does.
func (p *Pool) GVisor() (*Pool, error) { return p, nil }

// Close has nothing to close.
func (p *Pool) Close() error { return nil }

// Session does not exist here.
type Session struct{}

// Call gives nothing.
func (*Session) Call(string, plain.Tuple, plain.Dict) Answer { return Answer{Gone: true} }

// Close gives nothing.
func (*Session) Close(*Raised, bool) (Result, error) { return Result{}, ErrSandbox }
