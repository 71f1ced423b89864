package plugin

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/provenir/provenir/internal/clock"
)

// Deps are the neighbours.
type Deps struct {
	Launch Launch
	Clock  clock.Clock
	Log    *slog.Logger
}

// Host looks after the plugins of a service.
type Host struct {
	runners map[string]*runner
}

// NewHost starts nothing.
func NewHost(plugins map[string]Config, d Deps) *Host {
	h := &Host{runners: map[string]*runner{}}
	for name, c := range plugins {
		h.runners[name] = &runner{name: name, cfg: c, deps: d}
	}
	return h
}

// Close ends all plugins and waits.
func (h *Host) Close() {
	for _, r := range h.runners {
		r.close()
	}
}

// Listener is the socket of a plugin: the plugin gets File, and is reached under Path.
type Listener struct {
	Path string
	File *os.File
	dir  string
}

// listen makes a socket in a folder that only we can enter.
func listen() (Listener, error) {
	dir, err := os.MkdirTemp("", "provenir-plugin-")
	if err != nil {
		return Listener{}, err
	}
	l := Listener{Path: filepath.Join(dir, "s"), dir: dir}
	made, err := net.ListenUnix("unix", &net.UnixAddr{Name: l.Path, Net: "unix"})
	if err != nil {
		return l, errors.Join(err, l.close())
	}
	made.SetUnlinkOnClose(false)
	defer made.Close()
	if l.File, err = made.File(); err != nil {
		return l, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *Listener) close() error {
	if l.File != nil {
		l.File.Close()
	}
	return os.RemoveAll(l.dir)
}

// Pauses before a plugin is started again: the first, doubled with each failure in a row up to the last. One that stays
// sound for a while begins anew.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 30 * time.Second
)

// pause is how long to wait after so many failures in a row.
func pause(failures int) time.Duration {
	return min(firstPause<<min(failures-1, 20), lastPause)
}

// guarded is what a runner's lock protects.
type guarded struct {
	sync.Mutex
	now      *incarnation // nil where none runs
	failures int          // in a row
	notUntil time.Time
	closed   bool
}
