package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// archive is a file in memory with the files of a job, which the job's process unpacks before it is restricted; nil where
// there are none.
func archive(files []File) (*os.File, error) {
	if len(files) == 0 {
		return nil, nil
	}
	var list plain.List
	for _, f := range files {
		list = append(list, plain.Tuple{plain.Str(f.Path), plain.Bytes(f.Content)})
	}
	b, err := plain.Append(nil, list)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFiles, err)
	}
	f, err := sealed("files", b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSandbox, err)
	}
	return f, nil
}

// openBox holds a job's folder where it lies on the host.
func openBox(home string) (*os.File, error) {
	fd, err := unix.Open(filepath.Join(home, "box"), unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("hold a job's folder: %w", err)
	}
	return os.NewFile(uintptr(fd), "box"), nil
}

// fetch reads what a dead job left. Whoever wrote it meant harm: links are not followed, what is no plain file of the job's
// own is not opened, and a name leads nowhere but into the folder.
func fetch(box *os.File, paths []string) ([]Fetched, error) {
	left := int64(MaxFetched)
	var out []Fetched
	for _, path := range paths {
		f := Fetched{Path: path}
		var err error
		if f.Content, f.Missing, err = fetchOne(box, path, left); err != nil {
			return nil, err
		}
		left -= int64(len(f.Content))
		out = append(out, f)
	}
	return out, nil
}

func fetchOne(box *os.File, path string, left int64) (content []byte, missing string, err error) {
	fd, err := unix.Openat2(int(box.Fd()), path, &unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC | unix.O_NOCTTY,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_XDEV,
	})
	switch {
	case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR):
		return nil, "it is not there", nil
	case errors.Is(err, unix.ELOOP):
		return nil, "it is a link", nil
	case errors.Is(err, unix.EACCES):
		return nil, "the program closed it to us", nil
	case errors.Is(err, unix.ENXIO):
		return nil, "it is no plain file", nil
	case err != nil:
		return nil, "", fmt.Errorf("open %q of a job: %w", path, err)
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, "", fmt.Errorf("look at %q of a job: %w", path, err)
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, "it is no plain file", nil
	case st.Nlink != 1: // below T2 the other name could be one of the host's
		return nil, "it has more than one name", nil
	case st.Size > left:
		return nil, fmt.Sprintf("it has %d bytes, and %d of %d are left", st.Size, left, MaxFetched), nil
	}
	b, err := io.ReadAll(io.LimitReader(f, left))
	if err != nil {
		return nil, "", fmt.Errorf("read %q of a job: %w", path, err)
	}
	return b, "", nil
}

// takeBox receives the job's folder from its process, which has just mounted it. The descriptor outlives the namespace.
func (c *conn) takeBox() (*os.File, error) {
	var b [1]byte
	oob := make([]byte, unix.CmsgSpace(4)+unix.CmsgSpace(unix.SizeofUcred))
	var n, oobn int
	var err error
	if rerr := c.raw.Read(func(fd uintptr) bool {
		n, oobn, _, _, err = unix.Recvmsg(int(fd), b[:], oob, unix.MSG_CMSG_CLOEXEC)
		return !errors.Is(err, unix.EAGAIN)
	}); rerr != nil {
		return nil, rerr
	}
	if err != nil || n == 0 {
		return nil, errors.Join(io.ErrUnexpectedEOF, err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		return nil, err
	}
	for i := range messages {
		if fds, err := unix.ParseUnixRights(&messages[i]); err == nil && len(fds) == 1 {
			return os.NewFile(uintptr(fds[0]), "box"), nil
		}
	}
	return nil, errors.New("a job gave no folder")
}
