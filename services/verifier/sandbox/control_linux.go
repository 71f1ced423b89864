package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// conn is our end of a socket to a job. It speaks in frames: a length of four bytes, then one plain value.
type conn struct {
	f   *os.File
	raw syscallConn
	buf []byte
}

type syscallConn interface {
	Read(func(fd uintptr) bool) error
}

// connect makes a pair of sockets: ours, and the descriptor that the job gets.
func connect() (*conn, int, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, -1, fmt.Errorf("make a socket for a job: %w", err)
	}
	for _, err := range []error{
		unix.SetNonblock(fds[0], true),
		unix.SetsockoptInt(fds[0], unix.SOL_SOCKET, unix.SO_PASSCRED, 1),
	} {
		if err != nil {
			unix.Close(fds[0])
			unix.Close(fds[1])
			return nil, -1, fmt.Errorf("prepare a job's socket: %w", err)
		}
	}
	f := os.NewFile(uintptr(fds[0]), "job")
	raw, err := f.SyscallConn()
	if err != nil {
		f.Close()
		unix.Close(fds[1])
		return nil, -1, err
	}
	return &conn{f: f, raw: raw}, fds[1], nil
}

// peerPID waits for a byte of the job, with which the kernel tells its pid in our namespace.
func (c *conn) peerPID() (int, error) {
	var b [1]byte
	oob := make([]byte, unix.CmsgSpace(unix.SizeofUcred))
	var n, oobn int
	var err error
	if rerr := c.raw.Read(func(fd uintptr) bool {
		n, oobn, _, _, err = unix.Recvmsg(int(fd), b[:], oob, unix.MSG_CMSG_CLOEXEC)
		return !errors.Is(err, unix.EAGAIN)
	}); rerr != nil {
		return 0, rerr
	}
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(messages) != 1 {
		return 0, fmt.Errorf("a job announced itself without credentials: %w", err)
	}
	cred, err := unix.ParseUnixCredentials(&messages[0])
	if err != nil {
		return 0, err
	}
	if cred.Pid <= 0 {
		return 0, errors.New("a job announced itself from a namespace that cannot be seen")
	}
	return int(cred.Pid), nil
}

// send writes one value.
func (c *conn) send(v plain.Value) error {
	b, err := plain.Append(append(c.buf[:0], 0, 0, 0, 0), v)
	if err != nil {
		return err
	}
	c.buf = b[:0]
	binary.LittleEndian.PutUint32(b, uint32(len(b)-4))
	_, err = c.f.Write(b)
	return err
}

// recv reads one value of a candidate. The error is plain.ErrMalformed for what breaks the rules, io.EOF for a job that is gone.
func (c *conn) recv() (plain.Value, error) {
	var head [4]byte
	if _, err := io.ReadFull(c.f, head[:]); err != nil {
		return nil, gone(err)
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n > plain.MaxMessage {
		return nil, fmt.Errorf("%w: a message of %d bytes", plain.ErrMalformed, n)
	}
	// A length is only a promise: memory is taken as the bytes come.
	b, err := io.ReadAll(io.LimitReader(c.f, int64(n)))
	if err != nil {
		return nil, gone(err)
	}
	if uint32(len(b)) != n {
		return nil, io.EOF
	}
	return plain.Decode(b)
}

func gone(err error) error {
	if errors.Is(err, unix.ECONNRESET) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) {
		return io.EOF
	}
	return err
}

// pass hands a descriptor over with one byte.
func (c *conn) pass(fd int) error {
	raw, err := c.f.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	if err := raw.Write(func(s uintptr) bool {
		sent = unix.Sendmsg(int(s), []byte{'f'}, unix.UnixRights(fd), nil, 0)
		return !errors.Is(sent, unix.EAGAIN)
	}); err != nil {
		return err
	}
	return sent
}

func (c *conn) close() { c.f.Close() }
