//go:build cgo

package onnx

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// minor is the lowest usable minor version of the 1.x library: 1.24 has the binding's API, but no CPU kernel of
// TensorScatter; 1.30 is the first that was run.
const minor = 30

// Runtime is the loaded library.
type Runtime struct {
	Path    string
	Version string
	Digest  [32]byte // SHA-256 of the library file
	Gate    *Gate

	threads int
}

// process is the one environment that the library allows a process to have; its C globals cannot be had twice.
var process struct {
	sync.Mutex
	runtime *Runtime
}

// Open loads the library, or gives the runtime that is open already. Asking for another library than the open one is
// refused: a process cannot unload it safely.
func Open(cfg Config) (*Runtime, error) {
	path, err := Find(cfg.Library)
	if err != nil {
		return nil, err
	}
	process.Lock()
	defer process.Unlock()
	if r := process.runtime; r != nil {
		if r.Path != path {
			return nil, &Error{Reason: Mismatch, Detail: fmt.Sprintf("this process has %s open; start another for %s", r.Path, path)}
		}
		return r, nil
	}
	r := &Runtime{Path: path, threads: cfg.Threads}
	if r.threads < 1 {
		r.threads = 2
	}
	r.Gate = NewGate(r.threads)
	if r.Digest, err = fileDigest(path); err != nil {
		return nil, &Error{Reason: NotFound, Detail: "the library cannot be read", Tried: []string{path}, Err: err}
	}
	ort.SetSharedLibraryPath(path)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return nil, &Error{Reason: Mismatch, Detail: "the library does not load or is too old; run `make onnxruntime`",
			Tried: []string{path}, Err: err}
	}
	r.Version = ort.GetVersion()
	if !recent(r.Version) {
		err := &Error{Reason: Mismatch, Detail: fmt.Sprintf("version %s, need 1.%d or newer; run `make onnxruntime`", r.Version, minor),
			Tried: []string{path}}
		if e := ort.DestroyEnvironment(); e != nil {
			err.Err = e
		}
		return nil, err
	}
	if err := shareArena(); err != nil {
		return nil, fmt.Errorf("share the memory arena of %s: %w", path, err)
	}
	process.runtime = r
	return r, nil
}

// Environment is what determines the numbers besides the inputs.
func (r *Runtime) Environment() map[string]string {
	return map[string]string{"onnxruntime.version": r.Version, "onnxruntime.sha256": hex.EncodeToString(r.Digest[:]),
		"cpu.features": features(), "threads": strconv.Itoa(r.threads)}
}

// shareArena gives all sessions one memory arena: with an arena each, four sessions of the demo would hold twice as much.
func shareArena() error {
	info, err := ort.GetMemoryInfo()
	if err != nil {
		return err
	}
	arena, err := ort.NewArenaCfg(0, 1, -1, -1)
	if err != nil {
		return err
	}
	defer arena.Destroy()
	return ort.CreateAndRegisterAllocator(info, arena)
}

func recent(version string) bool {
	p := strings.Split(version, ".")
	if len(p) < 2 {
		return false
	}
	n, err := strconv.Atoi(p[1])
	return err == nil && p[0] == "1" && n >= minor
}

func fileDigest(path string) (d [32]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return d, err
	}
	defer f.Close() // read only
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return d, err
	}
	return [32]byte(h.Sum(nil)), nil
}
