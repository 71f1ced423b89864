package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// File is one that lies in /box before a job starts.
type File struct {
	Path    string // relative to /box, with slashes
	Content []byte
}

// Fetched is a file that a job was to leave in /box.
type Fetched struct {
	Path    string
	Content []byte
	Missing string // why it is not given; empty where it is
}

// Bounds of the files of a job. What is fetched has to fit into one answer beside 1 MiB of stdout and 1 MiB of stderr.
const (
	MaxFiles   = 64
	MaxGiven   = 2 << 20 // bytes put into /box, all files together
	MaxFetched = 7 << 18 // bytes fetched, all files together
)

// ErrFiles is a job whose files cannot be put where they are to be.
var ErrFiles = errors.New("bad files")

const (
	maxDepth = 16  // folders of a path
	maxPath  = 512 // bytes of a path
	maxName  = 255 // bytes of a part of it, which is the kernel's limit
	block    = 4096
)

// checkFiles refuses files that would leave /box, that are one another's folders, or that the job's limits would not hold.
func checkFiles(j *Job, own string) error {
	if len(j.Files) > MaxFiles || len(j.Fetch) > MaxFiles {
		return fmt.Errorf("%w: %d files are given and %d asked for, at most %d of each", ErrFiles, len(j.Files), len(j.Fetch), MaxFiles)
	}
	for _, path := range j.Fetch {
		if err := checkPath(path); err != nil {
			return err
		}
	}
	return checkGiven(j, own)
}

func checkGiven(j *Job, own string) error {
	kinds := map[string]bool{} // path: it is a folder
	var bytes, blocks int64
	for _, f := range j.Files {
		if err := checkPath(f.Path); err != nil {
			return err
		}
		if f.Path == own || f.Path == "program" {
			return fmt.Errorf("%w: %q is the program's own name", ErrFiles, f.Path)
		}
		if _, there := kinds[f.Path]; there {
			return fmt.Errorf("%w: %q is given twice, or is the folder of another file", ErrFiles, f.Path)
		}
		kinds[f.Path] = false
		for i, c := range f.Path {
			if c != '/' {
				continue
			}
			if folder, there := kinds[f.Path[:i]]; there && !folder {
				return fmt.Errorf("%w: %q is a file and the folder of another one", ErrFiles, f.Path[:i])
			}
			kinds[f.Path[:i]] = true
		}
		bytes += int64(len(f.Content))
		blocks += (int64(len(f.Content)) + block - 1) / block * block
	}
	switch {
	case bytes > MaxGiven:
		return fmt.Errorf("%w: %d bytes, at most %d in all", ErrFiles, bytes, MaxGiven)
	case blocks > j.Limits.Box/2 || len(kinds) > j.Limits.Inodes/2:
		return fmt.Errorf("%w: they would fill more than half of /box", ErrFiles)
	}
	return nil
}

// checkPath takes paths that name the same place for everybody: relative, without dots, links or control characters.
func checkPath(path string) error {
	parts := strings.Split(path, "/")
	bad := !fs.ValidPath(path) || path == "." || len(path) > maxPath || len(parts) > maxDepth || strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f })
	for _, p := range parts {
		bad = bad || len(p) > maxName
	}
	if bad {
		return fmt.Errorf("%w: %.80q is no path below /box: want a relative one, without . and .., of at most %d bytes and %d parts", ErrFiles, path, maxPath, maxDepth)
	}
	return nil
}
