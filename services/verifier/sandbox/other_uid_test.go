//go:build linux

package sandbox

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestUnprivileged runs tests of T2 as a user who may nothing, as most who install provenir are.
func TestUnprivileged(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the other tests run without privileges already")
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^(TestStdio|TestSessionCalls|TestJudge|TestReport)$/T2", "-test.v", "-test.timeout=60s")
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=/nonexistent", "TMPDIR=/tmp"}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	b, err := cmd.CombinedOutput()
	out := string(b)
	if strings.Contains(out, "does not offer") {
		t.Skipf("this machine offers no sandbox to users without privileges:\n%s", out)
	}
	if err != nil || !strings.Contains(out, "PASS: TestJudge/T2") {
		t.Errorf("%v:\n%s", err, out)
	}
}
