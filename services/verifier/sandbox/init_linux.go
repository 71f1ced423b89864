package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
)

// stage0Name is argv[0] of our own binary when it is started to become a zygote.
const stage0Name = "provenir-sandbox-stage0"

// Descriptors that stage 0 finds; the control socket stays at 3 for the zygote.
const (
	fdControl = 3
	fdStage0  = 4
	fdBundle  = 5
)

// stage0 is what stage 0 has to do.
type stage0 struct {
	Root rootPlan `json:"root"`
	Path string   `json:"path"` // of the interpreter, in the new root
	Argv []string `json:"argv"`
	Env  []string `json:"env"`

	Daemon *daemonPlan `json:"daemon,omitempty"` // where it is no zygote
}

// Worker is something that this program does in a process of its own, behind the layers of a daemon: with a socket at descriptor 3,
// and no files.
type Worker struct {
	Name string
	Run  func() error
}

// Init must be the first line of main and of TestMain. In a process that was started as stage 0 of a sandbox it builds the
// sandbox's root and becomes the interpreter, or one of the workers, and does not return; in any other it does nothing.
func Init(workers ...Worker) {
	if len(os.Args) == 0 || os.Args[0] != stage0Name {
		return
	}
	// Mounts and capabilities belong to a thread; exec keeps those of the thread that calls it.
	runtime.LockOSThread()
	err := becomeZygote(workers)
	if err == nil {
		os.Exit(0)
	}
	fmt.Fprintf(os.Stderr, "sandbox stage 0: %v\n", err)
	os.Exit(1)
}

func becomeZygote(workers []Worker) error {
	f := os.NewFile(fdStage0, "stage 0")
	b, err := io.ReadAll(f)
	if err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	f.Close()
	var s stage0
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	if s.Daemon != nil { // until it is in its control groups
		if n, err := os.Stdin.Read(make([]byte, 1)); n != 1 {
			return fmt.Errorf("wait for the word to begin: %w", err)
		}
	}
	if err := s.Root.build(); err != nil {
		return err
	}
	if s.Daemon != nil {
		if err := s.Daemon.harden(&s.Root); err != nil {
			return err
		}
	}
	if s.Daemon != nil && s.Daemon.Worker != "" {
		for _, w := range workers {
			if w.Name == s.Daemon.Worker {
				return w.Run()
			}
		}
		return fmt.Errorf("this program has no worker %s", s.Daemon.Worker)
	}
	return execInto(s.Path, s.Argv, s.Env)
}
