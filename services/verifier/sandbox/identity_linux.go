package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Binary is the SHA-256 of the interpreter as it is now. It costs a look at the file's inode where that is what it was.
func (p *Pool) Binary(ctx context.Context) (string, error) {
	m, err := p.look(ctx)
	if err != nil {
		return "", err
	}
	return m.interpreter.Sum, nil
}

// Identity reads the interpreter and its library, about 30 MB; the caller keeps the answer.
func (p *Pool) Identity(ctx context.Context) (Identity, error) {
	m, err := p.look(ctx)
	if err != nil {
		return Identity{}, err
	}
	id := Identity{Version: m.interpreter.Version, Binary: m.interpreter.Sum}
	h := sha256.New()
	for _, dir := range m.interpreter.Library {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		if err := addLibrary(ctx, h, dir); err != nil {
			return id, err
		}
	}
	id.Library = hex.EncodeToString(h.Sum(nil))
	h.Reset()
	for _, name := range order {
		b, err := pythonFiles.ReadFile("py/" + name + ".py")
		if err != nil {
			return id, err
		}
		fmt.Fprintf(h, "%s:%d:%s", name, len(b), b)
	}
	id.Inside = hex.EncodeToString(h.Sum(nil))
	return id, nil
}

// Packages names what site_packages lets jobs see: names and sizes of all files, and what the installers wrote down of their
// contents. The contents themselves may be gigabytes.
func (p *Pool) Packages(ctx context.Context) (string, error) {
	m, err := p.look(ctx)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, dir := range m.interpreter.Site {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case ctx.Err() != nil:
				return ctx.Err()
			case d.IsDir() && d.Name() == "__pycache__":
				return fs.SkipDir
			case !d.Type().IsRegular():
				return nil
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			fmt.Fprintf(h, "%s\x00%d\x00", path, info.Size())
			if d.Name() == "RECORD" {
				return addFile(h, path)
			}
			return nil
		})
		if err != nil {
			return "", fmt.Errorf("read the packages of %s for the verifier's digest: %w", m.interpreter.Path, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// addLibrary adds a folder's modules in the order of their names. Packages of others do not count: jobs do not see them.
func addLibrary(ctx context.Context, h hash.Hash, dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir() && slices.Contains([]string{"site-packages", "dist-packages", "__pycache__", "test"}, d.Name()):
			return fs.SkipDir
		case d.Type().IsRegular() && slices.Contains([]string{".py", ".so"}, filepath.Ext(path)):
			fmt.Fprintf(h, "%s\x00", path)
			return addFile(h, path)
		}
		return nil
	})
}
