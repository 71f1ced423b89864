package sandbox

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// introduce connects a judge with the candidate of the session. release is called when the judge has said what it knows.
func (s *Session) introduce(j *judge) (release func(), err error) {
	if s.r.proc.zygote.layout.gvisor == nil {
		return func() {}, s.hand(j)
	}
	return s.relay(j)
}

// relay carries what judge and candidate say to each other, both ways. In gVisor they would hold the two ends of one socket of the
// host, which its kernel does not connect: each would read the end of it at once.
func (s *Session) relay(j *judge) (release func(), err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make a socket for a judge: %w", err)
	}
	defer unix.Close(fds[1])
	if err := unix.SetNonblock(fds[0], true); err != nil {
		unix.Close(fds[0])
		return nil, err
	}
	judging, candidate := os.NewFile(uintptr(fds[0]), "judge"), s.r.proc.conn.f
	if err := j.proc.conn.pass(fds[1]); err != nil {
		judging.Close()
		return nil, err
	}
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(candidate, judging) })
	both.Go(func() {
		_, _ = io.Copy(judging, candidate)
		hangUp(judging) // the judge learns that the candidate is gone
	})
	return func() {
		judging.Close()
		_ = candidate.SetDeadline(time.Unix(1, 0)) // nothing more is read or written: what it says from here on is no answer
		both.Wait()
	}, nil
}

// hangUp ends a socket for both sides; one that is closed already is left alone.
func hangUp(f *os.File) {
	if raw, err := f.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_RDWR) })
	}
}
