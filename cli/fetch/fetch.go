// Package fetch brings an export of a run from the recorder into a file: whole or not at all.
package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// File is what was written.
type File struct {
	File      string `json:"file"`
	MediaType string `json:"mediaType"`
	Bytes     int64  `json:"bytes"`
	SHA256    string `json:"sha256"`
}

// Request is what to export and where to. Out is a file, a folder that gets a file of the recorder's naming, - for
// standard output, or empty for a file of that naming here.
type Request struct {
	Run, Format, Out string
	Force            bool
}

// Open starts an export and reads its head; the reader gives the bytes.
func Open(ctx context.Context, c recorderv1.RecorderServiceClient, run, format string) (head *recorderv1.ExportRunResponse, body io.Reader, err error) {
	stream, err := c.ExportRun(ctx, &recorderv1.ExportRunRequest{Run: run, Format: format})
	if err != nil {
		return nil, nil, err
	}
	if head, err = stream.Recv(); err != nil {
		return nil, nil, err
	}
	return head, &chunks{recv: stream.Recv, rest: head.GetChunk()}, nil
}

type chunks struct {
	recv func() (*recorderv1.ExportRunResponse, error)
	rest []byte
}

func (c *chunks) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		m, err := c.recv()
		if err != nil {
			return 0, err // io.EOF is the whole file
		}
		c.rest = m.GetChunk()
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// Write exports to where the request says. On standard output what was written before an error cannot be taken back: the
// exit code tells.
func Write(ctx context.Context, a *app.App, c recorderv1.RecorderServiceClient, r Request) (*File, error) {
	ctx, cancel := context.WithCancel(ctx) // an output that fails ends the call
	defer cancel()
	if r.Out == "-" && a.JSON {
		return nil, app.Usage(errors.New("--json and --out - both want standard output; give a file"))
	}
	head, body, err := Open(ctx, c, r.Run, r.Format)
	if err != nil {
		return nil, err
	}
	path := r.Out
	if info, err := os.Stat(r.Out); r.Out == "" || err == nil && info.IsDir() {
		path = filepath.Join(r.Out, filepath.Base(head.GetFilename())) // its last part alone: a server does not choose a folder
	}
	out := &File{File: path, MediaType: head.GetMediaType()}
	if path == "-" {
		_, err = io.Copy(a.Out, body)
		return nil, err
	}
	return out, out.write(body, r.Force)
}

// write goes through a temporary file beside the target, so that a broken export leaves nothing that looks whole.
func (f *File) write(body io.Reader, force bool) error {
	if err := app.Vacant(f.File, force); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(f.File), ".provenir-*")
	if err != nil {
		return app.Usage(err)
	}
	sum := sha256.New()
	f.Bytes, err = io.Copy(io.MultiWriter(tmp, sum), body)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), f.File)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	f.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return nil
}

// Print says what was written.
func (f *File) Print(a *app.App) error {
	if f == nil { // it went to standard output
		return nil
	}
	if a.JSON {
		return a.PrintJSON(f)
	}
	_, err := fmt.Fprintf(a.Out, "%s  %d bytes  sha256 %s\n", f.File, f.Bytes, f.SHA256)
	return err
}
