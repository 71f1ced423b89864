package sandbox

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestLimitIsDerivedFromWhatTheKernelSaw(t *testing.T) {
	tests := []struct {
		name string
		o    observed
		want Limit
	}{
		{"nothing", observed{}, NoLimit},
		{"our kill comes first", observed{killed: Timeout, signal: sigKill, oomKills: 1}, Timeout},
		{"filter", observed{signal: sigSys}, SecurityViolation},
		{"out of memory", observed{signal: sigKill, oomKills: 1}, MemoryLimit},
		{"a child was out of memory", observed{oomKills: 1}, NoLimit},
		{"processor", observed{signal: sigKill, cpu: 2 * time.Second, cpuLimit: 2 * time.Second}, CPULimit},
		{"killed early", observed{signal: sigKill, cpu: 100 * time.Millisecond, cpuLimit: 2 * time.Second}, NoLimit},
		{"XCPU", observed{signal: sigXCPU}, CPULimit},
		{"XFSZ", observed{signal: sigXFSZ}, FileLimit},
		{"output", observed{output: true}, OutputLimit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.o.limit(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSuspectedLimit(t *testing.T) {
	tests := []struct {
		name      string
		o         observed
		exception string
		errno     int
		want      Limit
	}{
		{"nothing", observed{}, "ValueError", 0, NoLimit},
		{"child out of memory", observed{oomKills: 1}, "", 0, MemoryLimit},
		{"forks refused", observed{forks: 3}, "", 0, ProcessLimit},
		{"memory error", observed{}, "MemoryError", 0, MemoryLimit},
		{"disk", observed{}, "OSError", 28, DiskLimit},
		{"file", observed{}, "OSError", 27, FileLimit},
		{"descriptors", observed{}, "OSError", 24, FDLimit},
		{"fork", observed{}, "BlockingIOError", 11, ProcessLimit},
		{"other", observed{}, "OSError", 2, NoLimit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.o.suspected(tt.exception, tt.errno); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLimitsCheck(t *testing.T) {
	if err := (Limits{}).Fill().Check(); err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]Limits{
		"wall": {Wall: time.Millisecond}, "long": {Wall: time.Hour}, "memory": {Memory: 1 << 20}, "much": {Memory: 1 << 40}, "processes": {Processes: -1}, "files": {Files: 2}, "cpu": {CPU: -1}, "box": {Box: 1},
	} {
		if err := l.Fill().Check(); err == nil {
			t.Errorf("%s: %+v passes", name, l)
		}
	}
}

func TestInterpreterRefusals(t *testing.T) {
	good := Interpreter{Version: "3.11.2", Number: []int{3, 11, 2}, Prefix: "/usr", Base: "/usr"}
	tests := []struct {
		name string
		set  func(*Interpreter)
		want string
	}{
		{"good", func(*Interpreter) {}, ""},
		{"old", func(i *Interpreter) { i.Number = []int{3, 8, 1} }, "3.9 or later"},
		{"two", func(i *Interpreter) { i.Number = []int{2, 7, 18} }, "3.9 or later"},
		{"everything", func(i *Interpreter) { i.Prefix = "/" }, "whole file system"},
		{"nothing", func(i *Interpreter) { i.Base = "" }, "whole file system"},
		{"own home", func(i *Interpreter) { i.Prefix = "/data/me" }, "is a home"},
		{"home", func(i *Interpreter) { i.Prefix = "/home/you" }, "is a home"},
		{"root", func(i *Interpreter) { i.Prefix = "/root" }, "is a home"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := good
			tt.set(&i)
			got := i.refuse("/data/me")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestInterpreterThatDoesNotAnswer(t *testing.T) {
	var layout *LayoutError
	for _, path := range []string{"/usr/bin/true", "/nowhere/python3"} {
		if _, err := discover(t.Context(), path, func(string) error { return nil }); !errors.As(err, &layout) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
