package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Identity reads the interpreter and its library, about 30 MB; the caller keeps the answer.
func (p *Pool) Identity(ctx context.Context) (Identity, error) {
	m, err := p.look(ctx)
	if err != nil {
		return Identity{}, err
	}
	id := Identity{Version: m.interpreter.Version}
	h := sha256.New()
	if err := addFile(h, m.interpreter.Path); err != nil {
		return id, err
	}
	id.Binary = hex.EncodeToString(h.Sum(nil))
	h.Reset()
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

func addFile(h hash.Hash, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read %s for the verifier's digest: %w", path, err)
	}
	defer f.Close()
	n, err := io.Copy(h, f)
	fmt.Fprintf(h, "\x00%d", n)
	return err
}
