package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// compileLimits are those of a compiler's job.
func compileLimits() Limits {
	return Limits{Wall: 10 * time.Second, Memory: 1 << 30, Processes: 16, FileSize: 64 << 20, Box: 64 << 20}.Fill()
}

// native runs a program that is not Python: its interpreter or binary takes the place of the forked process.
func (p *Pool) native(ctx context.Context, j Job) (Result, error) {
	m, err := p.look(ctx)
	if err != nil {
		return Result{}, err
	}
	l, missing := p.toolchains.find(j.Language, &m.root)
	if missing != "" {
		return Result{}, fmt.Errorf("%w: %s: %s", ErrLanguage, j.Language, missing)
	}
	if l.name == "go" {
		if err := p.golang.ready(ctx, &l, &m.root); err != nil {
			return Result{}, err
		}
	}
	if err := checkFiles(&j, l.file); err != nil {
		return Result{}, err
	}
	if j.Compile != 0 && (j.Compile < MinWall || j.Compile > MaxWall) {
		return Result{}, fmt.Errorf("%w: %v for compiling; allowed is %v to %v", ErrLimits, j.Compile, MinWall, MaxWall)
	}
	program := []byte(j.Source)
	if l.compile != nil {
		made, failed, err := p.compiled(ctx, &l, &j)
		if err != nil || failed != nil {
			if failed == nil {
				failed = &Result{}
			}
			failed.Language = l.name
			return *failed, err
		}
		program = made
	}
	return p.execute(ctx, &l, j, program)
}

func (p *Pool) execute(ctx context.Context, l *language, j Job, program []byte) (Result, error) {
	file, err := sealed("program", program)
	if err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrSandbox, err)
	}
	defer file.Close()
	stdin, err := stdinOf(j.Stdin)
	if err != nil {
		return Result{}, err
	}
	if stdin != nil {
		defer stdin.Close()
	}
	files, err := archive(j.Files)
	if err != nil {
		return Result{}, err
	}
	if files != nil {
		defer files.Close()
	}
	s, m, err := p.ready(ctx, "", &Job{trees: l.shown})
	if err != nil {
		return Result{}, err
	}
	name := l.file
	if l.compile != nil {
		name = "program"
	}
	r, err := s.begin(ctx, m, launch{
		kind: "exec", argv: l.runs(j.Limits.Memory), args: j.Argv, env: jobEnv(), limits: j.Limits, filter: "native",
		stdin: stdin, threads: l.threads, binary: file, name: name, native: l.reserves, extra: 3, files: files, fetch: j.Fetch,
	}, int(j.Limits.Output), true)
	if err != nil {
		return Result{}, err
	}
	failed := r.supervised()
	res, o, err := r.end()
	res.Language, res.Interpreter, res.Binary = l.name, "", ""
	if err == nil && failed != "" && res.Limit == NoLimit && l.compile == nil { // a source can make a program that does not start
		return Result{}, fmt.Errorf("%w: start %s: %s", ErrSandbox, l.run[0], failed)
	}
	if err == nil && res.Limit == NoLimit && (res.ExitCode != 0 || res.Signal != 0) {
		res.Limit = o.suspected("", 0)
	}
	return res, err
}

// supervised waits for the end of a program, which the process beside it tells, and looks for what it left behind. failed is
// why the program could not be started.
func (r *running) supervised() (failed string) {
	said, err := r.proc.conn.recv()
	t, _ := said.(plain.Tuple)
	if err == nil && len(t) == 2 && t[0] == plain.Str("ended") {
		if status, ok := t[1].(int64); ok {
			ended := unix.WaitStatus(uint32(status))
			r.status = &ended
		}
		r.left = r.proc.leftover(r.slot.candidate)
		_ = r.proc.conn.send(nil) // it is gone already, or goes now
	}
	r.proc.await()
	if len(t) == 2 && t[0] == plain.Str("failed") {
		return fmt.Sprint(t[1])
	}
	return ""
}

// compiled gives the program of a source, from memory where the same source was compiled before. failed is what happened
// where it does not compile.
func (p *Pool) compiled(ctx context.Context, l *language, j *Job) (program []byte, failed *Result, err error) {
	key := l.digest(j)
	if b := p.binaries.get(key); b != nil {
		return b, nil, nil
	}
	s, m, err := p.ready(ctx, "", &Job{trees: l.trees})
	if err != nil {
		return nil, nil, err
	}
	limits := compileLimits()
	limits.Processes += l.threads
	if j.Compile != 0 {
		limits.Wall, limits.CPU = j.Compile, j.Compile
	}
	files, err := archive(j.Files)
	if err != nil {
		s.pool.give(s)
		return nil, nil, err
	}
	if files != nil {
		defer files.Close()
	}
	r, err := s.begin(ctx, m, launch{kind: "compile", limits: limits, filter: "native", extra: 2, files: files, native: l.reserves}, 16<<10, true)
	if err != nil {
		return nil, nil, err
	}
	commands := plain.List{}
	for _, c := range l.compile {
		commands = append(commands, strs(c))
	}
	var answer plain.Value
	if err := r.proc.conn.send(plain.Tuple{plain.Bytes(j.Source), plain.Str(l.file), commands}); err == nil {
		answer, _ = r.proc.conn.recv()
	}
	res, _, err := r.end()
	if err != nil {
		return nil, nil, err
	}
	t, _ := answer.(plain.Tuple)
	if len(t) == 2 && t[0] == any(int64(0)) {
		if b, ok := t[1].(plain.Bytes); ok {
			p.binaries.put(key, []byte(b))
			return []byte(b), nil, nil
		}
	}
	if len(t) == 2 && t[0] == any(int64(notStarted)) {
		return nil, nil, fmt.Errorf("%w: %s: its compiler could not be started: %.300s", ErrLanguage, l.name, res.Stderr)
	}
	res.CompileError = strings.TrimSpace(string(res.Stderr) + string(res.Stdout)) // the compiler of Go writes to stdout
	if res.CompileError == "" {
		res.CompileError = "the compiler gave no program; limit " + string(res.Limit)
	}
	res.CompileLimit = res.Limit
	res.ExitCode, res.Signal, res.Limit, res.Stdout = 1, 0, NoLimit, nil
	return nil, &res, nil
}

// notStarted is the wait status of a tool that the loader, or env before it, could not start: nothing was said of the source.
const notStarted = 127 << 8

// digest names what a compiler is given.
func (l *language) digest(j *Job) [sha256.Size]byte {
	h := sha256.New()
	add := func(b []byte) {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(b))))
		h.Write(b)
	}
	for _, part := range slices.Concat(append([][]string{{l.name, j.Source}}, l.compile...)...) {
		add([]byte(part))
	}
	for _, f := range j.Files {
		add([]byte(f.Path))
		add(f.Content)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// binaries are compiled programs by digest of source and command. Candidates of one group often repeat.
type binaries struct {
	mu    sync.Mutex
	by    map[[sha256.Size]byte][]byte
	bytes int
}

// maxBinaries is how many bytes of programs are kept.
const maxBinaries = 64 << 20

func (b *binaries) get(key [sha256.Size]byte) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.by[key]
}

func (b *binaries) put(key [sha256.Size]byte, program []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bytes += len(program); b.by == nil || b.bytes > maxBinaries {
		b.by, b.bytes = map[[sha256.Size]byte][]byte{}, len(program)
	}
	b.by[key] = program
}
