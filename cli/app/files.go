package app

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Warn writes a warning to standard error, also with --quiet: that leaves out progress, not what went wrong.
func (a *App) Warn(format string, args ...any) {
	fmt.Fprintf(a.Err, "warning: "+format+"\n", args...)
}

// Tell writes a line that a person needs to go on, to standard error, also with --quiet.
func (a *App) Tell(format string, args ...any) {
	fmt.Fprintf(a.Err, format+"\n", args...)
}

// Open reads an input that a flag named: a file, or - for standard input.
func (a *App) Open(path string) (io.ReadCloser, error) {
	if path == "-" {
		if a.read {
			return nil, Usage(errors.New("- is given twice, and standard input can be read once"))
		}
		a.read = true
		return io.NopCloser(a.In), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, Usage(err)
	}
	return f, nil
}

// Vacant refuses an output file that exists, before the work is done that would go into it.
func Vacant(path string, force bool) error {
	if path == "-" || force {
		return nil
	}
	if _, err := os.Stat(path); err == nil {
		return Usage(fmt.Errorf("%s exists; give --force to replace it", path))
	}
	return nil
}
