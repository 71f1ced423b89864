// Package faultline names the places where a process may die, so that tests can kill it there.
//
// Production code calls Line.At(point) where a crash would be interesting. A nil *Line does nothing. A test's line
// decides by point and count; `provenir serve` arms one from PROVENIR_FAULT=point:count and then kills itself with
// SIGKILL, which is what the cluster test does to real processes.
package faultline

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Point is a place in the code, as role.where.
type Point string

// ErrKilled is what At answers in a test's line: the caller must stop at once and do nothing more, as a dead process would.
var ErrKilled = errors.New("faultline: killed here")

// Line counts how often each point is passed and kills at the armed one.
type Line struct {
	mu    sync.Mutex
	hits  map[Point]int
	at    Point
	count int
	kill  func() error
	dead  bool
}

// New kills by kill when point is passed for the count-th time (from 1). An empty point only counts.
func New(point Point, count int, kill func() error) *Line {
	return &Line{hits: map[Point]int{}, at: point, count: count, kill: kill}
}

// FromEnv arms a line from the value of PROVENIR_FAULT; empty gives nil.
func FromEnv(value string) (*Line, error) {
	if value == "" {
		return nil, nil
	}
	point, count, ok := strings.Cut(value, ":")
	n, err := strconv.Atoi(count)
	if !ok || err != nil || n < 1 {
		return nil, fmt.Errorf("PROVENIR_FAULT=%q: want point:count with count from 1", value)
	}
	return New(Point(point), n, func() error {
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}), nil
}

// At passes a point. It answers ErrKilled for ever once the line has killed.
func (l *Line) At(p Point) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return ErrKilled
	}
	l.hits[p]++
	if p != l.at || l.hits[p] != l.count {
		return nil
	}
	l.dead = true
	if l.kill != nil {
		if err := l.kill(); err != nil {
			return err
		}
	}
	return ErrKilled
}

// Hits says how often each point was passed; the chaos suite takes its targets from an undisturbed run's.
func (l *Line) Hits() map[Point]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[Point]int, len(l.hits))
	for p, n := range l.hits {
		out[p] = n
	}
	return out
}
