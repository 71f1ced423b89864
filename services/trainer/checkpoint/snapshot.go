package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/services/trainer/engine"
)

// State is where a stage stands between two steps. It is trainer_state.json in checkpoints and snapshots, and holds
// deterministic facts only: it is part of a checkpoint's digest.
type State struct {
	Schema    string `json:"schema"`
	Stage     uint32 `json:"stage"`
	NextStep  uint64 `json:"next_step"` // of the run
	Branch    uint32 `json:"branch"`
	Cursor    uint64 `json:"cursor"`
	Policy    uint64 `json:"policy_version"`
	Chain     string `json:"chain"`
	Spec      string `json:"spec_digest"`
	Base      string `json:"base_digest"`
	Dataset   string `json:"dataset_digest"`
	Tokenizer string `json:"tokenizer_digest"`
	Parent    string `json:"parent_checkpoint"`
}

// StateFile is the name of the state in a folder.
const StateFile = "trainer_state.json"

const stateSchema = "provenir.trainer_state/v1"

// WriteState adds the state to a folder.
func WriteState(to engine.Sink, s State) error {
	s.Schema = stateSchema
	b, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	w, err := to.Create(StateFile)
	if err != nil {
		return err
	}
	if _, err := w.Write(append(b, '\n')); err != nil {
		return errors.Join(err, w.Close())
	}
	return w.Close()
}

// ReadState reads it back.
func ReadState(from fs.FS) (State, error) {
	var s State
	b, err := fs.ReadFile(from, StateFile)
	if err != nil {
		return s, &engine.Error{Reason: "CHECKPOINT_CORRUPT", Detail: "no " + StateFile, Err: err}
	}
	if err := json.Unmarshal(b, &s); err != nil || s.Schema != stateSchema {
		return s, &engine.Error{Reason: "CHECKPOINT_CORRUPT", Detail: StateFile + " is not of " + stateSchema, Err: err}
	}
	return s, nil
}

// Snapshots are the crash-recovery folders of one run.
type Snapshots struct{ dir string }

// OpenSnapshots makes the folder and clears what a crash left half-written.
func OpenSnapshots(dir string) (Snapshots, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Snapshots{}, err
	}
	half, err := filepath.Glob(filepath.Join(dir, "tmp-*"))
	if err != nil {
		return Snapshots{}, err
	}
	for _, h := range half {
		if err := os.RemoveAll(h); err != nil {
			return Snapshots{}, err
		}
	}
	return Snapshots{dir}, nil
}

func name(s State) string { return fmt.Sprintf("snap-%010d-%012d", s.Branch, s.NextStep) }

// Save writes a snapshot: temporary folder, files and folder synced, renamed, parent synced. Then all but the last two go.
func (s Snapshots) Save(st State, write func(engine.Sink) error) error {
	tmp, err := os.MkdirTemp(s.dir, "tmp-")
	if err != nil {
		return err
	}
	sink := diskSink(tmp)
	if err := errors.Join(write(sink), WriteState(sink, st)); err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	if err := blob.SyncDir(tmp); err != nil {
		return err
	}
	final := filepath.Join(s.dir, name(st))
	if err := os.RemoveAll(final); err != nil { // the same step, run again
		return err
	}
	if err := os.Rename(tmp, final); err != nil {
		return err
	}
	if err := blob.SyncDir(s.dir); err != nil {
		return err
	}
	return s.prune()
}

func (s Snapshots) prune() error {
	all, err := s.list()
	if err != nil {
		return err
	}
	for len(all) > 2 {
		if err := os.RemoveAll(filepath.Join(s.dir, all[0])); err != nil {
			return err
		}
		all = all[1:]
	}
	return nil
}

func (s Snapshots) list() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "snap-") {
			out = append(out, e.Name())
		}
	}
	slices.Sort(out)
	return out, nil
}

// Snapshot is one that was found. Err is why its state cannot be read; then State and Folder are of no use.
type Snapshot struct {
	Name   string
	State  State
	Folder fs.FS
	Err    error
}

// At finds the snapshots of a stage and branch at or before a step, newest first. They were renamed into place whole, so
// one that cannot be read is damaged and was not cut off by a crash: it is in the list, for the caller to say so.
func (s Snapshots) At(stage, branch uint32, step uint64) ([]Snapshot, error) {
	all, err := s.list()
	if err != nil {
		return nil, err
	}
	var out []Snapshot
	for _, n := range slices.Backward(all) {
		var of State
		if _, err := fmt.Sscanf(n, "snap-%d-%d", &of.Branch, &of.NextStep); err != nil || of.Branch != branch || of.NextStep > step {
			continue
		}
		found := Snapshot{Name: n, Folder: os.DirFS(filepath.Join(s.dir, n))}
		if found.State, found.Err = ReadState(found.Folder); found.Err == nil && found.State.Stage != stage {
			continue
		}
		out = append(out, found)
	}
	return out, nil
}

// Clear removes all; a stage that ended needs none.
func (s Snapshots) Clear() error { return os.RemoveAll(s.dir) }

type diskSink string

func (d diskSink) Create(name string) (io.WriteCloser, error) {
	if !fs.ValidPath(name) || strings.Contains(name, "/") {
		return nil, fmt.Errorf("%q is no file name", name)
	}
	f, err := os.OpenFile(filepath.Join(string(d), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return syncedFile{f}, nil
}

type syncedFile struct{ *os.File }

// Close syncs first: a snapshot's name must not exist before its bytes do.
func (f syncedFile) Close() error { return errors.Join(f.Sync(), f.File.Close()) }
