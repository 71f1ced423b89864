package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var folder string // of the binary

// binary builds it once.
var binary = sync.OnceValues(func() (string, error) {
	var err error
	if folder, err = os.MkdirTemp("", "provenir-e2e-"); err != nil {
		return "", err
	}
	path := filepath.Join(folder, "provenir")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/provenir")
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if folder != "" {
		_ = os.RemoveAll(folder) // a temporary folder: nothing is lost when it stays
	}
	os.Exit(code)
}

// provenir is the binary as people run it.
func provenir(t *testing.T) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// process is one call of the binary. What it says on standard error can be waited for.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	out  bytes.Buffer
	done chan struct{} // closed when it has ended

	mu      sync.Mutex
	said    strings.Builder
	changed chan struct{} // closed and made anew with every write
}

// Write takes standard error.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.changed)
	p.changed = make(chan struct{})
	return p.said.Write(b)
}

func (p *process) errors() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// start calls the binary; whatever happens it does not outlive the test.
func start(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(provenir(t), args...), done: make(chan struct{}), changed: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, &p.out, p
	p.cmd.Env = append(os.Environ(), "PROVENIR_FAULT=", "PROVENIR_SERVER=", "PROVENIR_TOKEN=")
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // its state says how it ended
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has ended in most tests
		<-p.done
	})
	return p
}

// await waits until the process has said a text.
func (p *process) await(text string) {
	p.t.Helper()
	late := time.NewTimer(30 * time.Second)
	defer late.Stop()
	for {
		p.mu.Lock()
		there, changed := strings.Contains(p.said.String(), text), p.changed
		p.mu.Unlock()
		if there {
			return
		}
		select {
		case <-changed:
		case <-p.done:
			if strings.Contains(p.errors(), text) {
				return
			}
			p.t.Fatalf("it ended (%s) and never said %q:\n%s", p.cmd.ProcessState, text, p.errors())
		case <-late.C:
			p.t.Fatalf("it never said %q:\n%s", text, p.errors())
		}
	}
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
}

// code waits for the end and gives the exit code.
func (p *process) code() int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(60 * time.Second):
		p.t.Fatalf("it does not end:\n%s", p.errors())
		return -1
	}
}
