// Package sdk runs the tests of the Python package, against a real mesh where they want one.
package sdk

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/provenir/provenir/internal/config"
	"github.com/provenir/provenir/mesh"
)

const source = "../../sdk/python"

// python finds an interpreter that the package supports.
func python(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on the path: the Python package is not tested here")
	}
	if out, err := exec.CommandContext(t.Context(), path, "-c", "import sys; sys.exit(sys.version_info < (3, 9))").CombinedOutput(); err != nil {
		t.Skipf("%s is older than Python 3.9, or broken: %v %s", path, err, out)
	}
	return path
}

// script is a call of the interpreter with the package on its path and no setting of the machine's.
func script(ctx context.Context, t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	src, err := filepath.Abs(filepath.Join(source, "src"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, python(t), args...)
	cmd.Env = append([]string{"PYTHONPATH=" + src, "PYTHONDONTWRITEBYTECODE=1", "TMPDIR=" + t.TempDir()}, env...)
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// serve starts a mesh with REST on a free port.
func serve(t *testing.T) *mesh.Mesh {
	t.Helper()
	m, _ := serveOn(t, t.TempDir())
	t.Cleanup(func() {
		if err := m.Stop(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// serveOn starts it on a folder. The caller stops it.
func serveOn(t *testing.T, data string) (m *mesh.Mesh, dir string) {
	t.Helper()
	s, err := config.Resolve(config.Sources{Flags: map[string]string{"data": data, "log.level": "error", "grpc.listen": "off",
		"http.listen": "127.0.0.1:0", "nats.listen": "off"}})
	if err != nil {
		t.Fatal(err)
	}
	m, err = mesh.Start(t.Context(), mesh.Config{Settings: s, Roles: mesh.Roles(), Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	return m, data
}

func TestPythonPackage(t *testing.T) {
	m := serve(t)
	env := []string{"PROVENIR_TEST_REST=http://" + m.Addresses().HTTP, "PROVENIR_TEST_TOKEN=" + m.Token()}
	cmd := script(t.Context(), t, env, "-W", "error", "-m", "unittest", "discover", "-s", "tests", "-v")
	cmd.Dir = source
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if text := string(out); !strings.Contains(text, "\nOK") || strings.Contains(text, "names no mesh") || strings.Contains(text, "Exception ignored") {
		t.Fatalf("not all of it ran:\n%s", text)
	}
}
