package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// goPackages are those that a Go program may import, with what they need. To compile one in the sandbox takes its library
// ready compiled: the go command would compile that anew for each program, and has no business there anyway.
const goPackages = "bufio bytes cmp container/heap container/list container/ring context crypto/md5 crypto/sha1 crypto/sha256 " +
	"encoding/base64 encoding/binary encoding/hex encoding/json errors fmt hash/crc32 hash/fnv hash/maphash io iter maps math " +
	"math/big math/bits math/cmplx math/rand math/rand/v2 os path reflect regexp runtime runtime/debug slices sort strconv strings " +
	"sync sync/atomic text/tabwriter text/template time unicode unicode/utf16 unicode/utf8 unsafe"

// goWithin bounds the compiling of the library, which takes part of a second where the user's build cache has it.
const goWithin = 3 * time.Minute

// goLibrary is a folder with the compiled library, made at the first Go program and removed with the pool.
type goLibrary struct {
	mu   sync.Mutex
	dir  string
	tool string // folder of compiler and linker
}

// ready gives a language whose commands name the toolchain and the library. The error is ErrLanguage: what is missing is no
// fault of a program's.
func (g *goLibrary) ready(ctx context.Context, l *language, root *rootPlan) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dir == "" {
		if err := g.build(ctx, l.path, root); err != nil {
			return fmt.Errorf("%w: go: %w", ErrLanguage, err)
		}
	}
	l.trees = []string{g.dir}
	for _, command := range l.compile {
		for i := range command {
			command[i] = strings.NewReplacer("@tool", g.tool, "@library", g.dir).Replace(command[i])
		}
	}
	return nil
}

func (g *goLibrary) build(ctx context.Context, tool string, root *rootPlan) error {
	ctx, cancel := context.WithTimeout(ctx, goWithin)
	defer cancel()
	out, err := goCommand(ctx, tool, "env", "GOTOOLDIR")
	if err != nil {
		return err
	}
	folder := strings.TrimSpace(string(out))
	for _, name := range []string{"compile", "link"} {
		if !root.shows(filepath.Join(folder, name)) {
			return fmt.Errorf("%s is not where jobs see it", filepath.Join(folder, name))
		}
	}
	args := append([]string{"list", "-export", "-trimpath", "-deps", "-f", "{{if .Export}}{{.ImportPath}}={{.Export}}{{end}}"}, strings.Fields(goPackages)...)
	if out, err = goCommand(ctx, tool, args...); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "provenir-go-")
	if err != nil {
		return err
	}
	if err := fill(dir, string(out)); err != nil {
		os.RemoveAll(dir)
		return err
	}
	g.dir, g.tool = dir, folder
	return nil
}

// goCommand runs the machine's own go, on nothing of a candidate's, without a network.
func goCommand(ctx context.Context, tool string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GO111MODULE=on", "GOWORK=off", "GOFLAGS=", "GOTOOLCHAIN=local", "GOPROXY=off")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w: %.300s", tool, args[0], err, said.String())
	}
	return out, nil
}

// fill copies the archives, which lie in a cache that is the user's own, to where the sandbox's user can read them.
func fill(dir, list string) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	var config strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(list), "\n") {
		name, from, ok := strings.Cut(line, "=")
		if !ok {
			return fmt.Errorf("the list of packages has the line %.80q", line)
		}
		b, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		at := filepath.Join(dir, strconv.Itoa(i)+".a")
		if err := os.WriteFile(at, b, 0o644); err != nil {
			return err
		}
		fmt.Fprintf(&config, "packagefile %s=%s\n", name, at)
	}
	return os.WriteFile(filepath.Join(dir, "importcfg"), []byte(config.String()), 0o644)
}

func (g *goLibrary) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dir == "" {
		return nil
	}
	err := os.RemoveAll(g.dir)
	g.dir = ""
	return err
}
