// Package cluster runs the mesh as real processes on loopback, kills them with SIGKILL, stops them with SIGSTOP, and
// compares the ledger's root with that of an undisturbed run in one process.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/provenir/provenir/internal/rpc"
)

var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "provenir-cluster-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "provenir")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/provenir")
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return path, nil
})

var roles = []string{"recorder", "governance", "verifier", "evaluator", "trainer", "orchestrator", "gateway"}

// cluster is the mesh on one data folder: a process a role, or one process for all.
type cluster struct {
	t     *testing.T
	dir   string
	one   bool           // everything in one process, named "mesh"
	ports map[string]int // by role; "nats" and "http" too
	procs map[string]*process
}

// newSingle is `provenir up`.
func newSingle(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir(), one: true, ports: map[string]int{}, procs: map[string]*process{}}
	for _, name := range []string{"nats", "http", "mesh"} {
		c.ports[name] = freePort(t)
	}
	for _, r := range roles {
		c.ports[r] = c.ports["mesh"]
	}
	t.Cleanup(c.stop)
	c.start("mesh")
	c.await("mesh")
	return c
}

type process struct {
	cmd  *exec.Cmd
	done chan error
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir(), ports: map[string]int{}, procs: map[string]*process{}}
	for _, name := range append([]string{"nats", "http"}, roles...) {
		c.ports[name] = freePort(t)
	}
	t.Cleanup(c.stop)
	for _, r := range roles {
		c.start(r)
	}
	for _, r := range roles {
		c.await(r)
	}
	return c
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (c *cluster) addr(name string) string { return fmt.Sprintf("127.0.0.1:%d", c.ports[name]) }

// start runs one role. Every role may start before its peers: connections are made when they are needed.
func (c *cluster) start(role string) {
	c.t.Helper()
	path, err := binary()
	if err != nil {
		c.t.Fatal(err)
	}
	args := []string{"serve", "--roles=" + role}
	if c.one {
		args = []string{"up"}
	}
	cmd := exec.Command(path, append(args, "--data", c.dir, "--grpc-listen", c.addr(role), "--http-listen", c.addr("http"),
		"--nats-listen", c.addr("nats"), "--log-level", "error")...)
	cmd.Env = append(os.Environ(), "PROVENIR_FAULT=")
	for _, peer := range roles {
		if peer != role && peer != "gateway" && !c.one {
			cmd.Env = append(cmd.Env, "PROVENIR_PEERS_"+strings.ToUpper(peer)+"="+c.addr(peer))
		}
	}
	if role != "recorder" && !c.one {
		cmd.Env = append(cmd.Env, "PROVENIR_NATS_URL=nats://"+c.addr("nats"))
	}
	log, err := os.OpenFile(filepath.Join(c.dir, role+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		c.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	p := &process{cmd, make(chan error, 1)}
	go func() {
		p.done <- errors.Join(cmd.Wait(), log.Close())
	}()
	c.procs[role] = p
}

// await waits until a role says that it serves.
func (c *cluster) await(role string) {
	c.t.Helper()
	conn, err := rpc.Dial(rpc.DialConfig{Target: c.addr(role)})
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	for {
		_, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{}, grpc.WaitForReady(true))
		if err == nil {
			return
		}
		select {
		case err := <-c.procs[role].done:
			c.t.Fatalf("%s ended: %v\n%s", role, err, c.log(role))
		case <-ctx.Done():
			c.t.Fatalf("%s does not serve: %v\n%s", role, err, c.log(role))
		default:
		}
	}
}

func (c *cluster) log(role string) string {
	b, err := os.ReadFile(filepath.Join(c.dir, role+".log"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// kill ends a process without a word, and waits until it is gone.
func (c *cluster) kill(role string) {
	c.t.Helper()
	p := c.procs[role]
	if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		c.t.Fatal(err)
	}
	<-p.done
}

func (c *cluster) signal(role string, s syscall.Signal) {
	c.t.Helper()
	if err := c.procs[role].cmd.Process.Signal(s); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) stop() {
	for _, p := range c.procs {
		_ = p.cmd.Process.Kill() // it may be dead already
	}
	for _, p := range c.procs {
		select {
		case <-p.done:
		case <-time.After(10 * time.Second):
			c.t.Error("a process could not be killed")
		}
	}
}

// connect is a person's connection to a role.
func (c *cluster) connect(role string) *grpc.ClientConn {
	c.t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, "token"))
	if err != nil {
		c.t.Fatal(err)
	}
	conn, err := rpc.Dial(rpc.DialConfig{Target: c.addr(role), Token: strings.TrimSpace(string(b))})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	return conn
}
