package enginelog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	// maxParquet bounds a Parquet file, which is read at any place and so has to be a file.
	maxParquet = 1 << 30
	// parquetPatience is how long a row may take.
	parquetPatience = 30 * time.Second
	// parquetName is what the process that reads Parquet is called, and parquetHello its first line.
	parquetName, parquetHello = "provenir-parquet", "provenir-parquet|1"
)

// errNoReader tells that this program does not begin with [Init].
var errNoReader = errors.New("this program has no process to read Parquet in; convert the file")

// parquet reads the rows of a Parquet file. A process of its own decodes it, with bounds on memory and time: a file says
// itself how large its parts are, and the library believes it.
func parquet(name string, in io.Reader) (next func() (Row, error), stop func(), err error) {
	file, err := spooled(name, in)
	if err != nil {
		return nil, nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	var said bytes.Buffer
	cmd := exec.Command(self)
	cmd.Args, cmd.Env, cmd.ExtraFiles, cmd.Stderr = []string{parquetName}, []string{}, []*os.File{file}, &limited{b: &said}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, nil, err
	}
	c := &child{name: name, cmd: cmd, said: &said, rows: &lines{name: name, in: bufio.NewReaderSize(out, 64<<10), parse: object}}
	c.late = time.AfterFunc(parquetPatience, c.kill)
	if hello, err := c.rows.in.ReadString('\n'); err != nil || hello != parquetHello+"\n" {
		c.stop()
		return nil, nil, &FormatError{name, errNoReader.Error()}
	}
	c.late.Stop()
	return c.next, c.stop, nil
}

// spooled keeps the input in a file that has no name any more.
func spooled(name string, in io.Reader) (*os.File, error) {
	f, err := os.CreateTemp("", "provenir-*.parquet")
	if err != nil {
		return nil, err
	}
	n, err := io.Copy(f, io.LimitReader(in, maxParquet+1))
	err = errors.Join(err, os.Remove(f.Name()))
	if err == nil && n > maxParquet {
		err = &FormatError{name, fmt.Sprintf("a Parquet file of more than %d MiB is not read here", maxParquet>>20)}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// child is the process that reads.
type child struct {
	name string
	cmd  *exec.Cmd
	said *bytes.Buffer // to standard error; read after the end
	rows *lines
	late *time.Timer
	done bool
	end  error // after done
}

func (c *child) kill() { _ = c.cmd.Process.Kill() } // it may be gone already

func (c *child) next() (Row, error) {
	if c.done {
		return Row{}, c.end
	}
	c.late.Reset(parquetPatience)
	r, err := c.rows.next()
	c.late.Stop()
	var bad *RowError
	if err == nil || errors.As(err, &bad) {
		return r, err
	}
	c.done, c.end = true, io.EOF
	if failed := c.cmd.Wait(); failed != nil {
		c.end = &FormatError{c.name, c.why(failed)}
	}
	return Row{}, c.end
}

// why says why the process did not come to the end of the file.
func (c *child) why(failed error) string {
	said := strings.TrimSpace(c.said.String())
	if first, _, more := strings.Cut(said, "\n"); !more && first != "" { // its own words; a runtime that breaks down has many lines
		return first
	}
	return fmt.Sprintf("reading it took more memory or time than a log may take (%v); convert it", failed)
}

func (c *child) stop() {
	c.late.Stop()
	if !c.done {
		c.kill()
		_ = c.cmd.Wait() // it was killed
		c.done, c.end = true, io.EOF
	}
}

// limited keeps the beginning of what is written.
type limited struct{ b *bytes.Buffer }

func (l *limited) Write(b []byte) (int, error) {
	if room := 4096 - l.b.Len(); room > 0 {
		l.b.Write(b[:min(room, len(b))])
	}
	return len(b), nil
}
