//go:build linux

package sandbox

import (
	"context"
	"fmt"
	"io"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	Init()
	if os.Getenv("PROVENIR_SANDBOX_VICTIM") != "" {
		os.Exit(victim())
	}
	goleak.VerifyTestMain(m)
}

// victim holds a job and waits to be killed: it is what TestOwnerKilled kills.
func victim() int {
	p, err := New(Config{PoolSize: 1}, Deps{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	s, _, err := p.Open(context.Background(), Job{Source: "import os, time\nif os.fork() == 0: time.sleep(600)\ndef f(): pass"})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("holding", s.r.proc.pid, s.r.slot.zygote.cmd.Process.Pid)
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}
