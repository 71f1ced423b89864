// Package wandb writes a run as an offline run of Weights & Biases. Its format is its own package's affair, so that package
// writes it, in Python, by way of ours (sdk/python). Without either there is no file and no substitute.
package wandb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// Config says what to write and with what.
type Config struct {
	Python  string // the interpreter; python3 where it is empty
	Run     string
	Project string
	Out     string // folder; the current one where it is empty
	Force   bool
}

// Done is what was written.
type Done struct {
	File      string `json:"file"`
	Steps     uint64 `json:"steps"`
	Values    uint64 `json:"values"`
	Incidents uint64 `json:"incidents"`
	Undated   uint64 `json:"undated"`
}

// ExistsError is an output that is there already.
type ExistsError struct{ Text string }

func (e *ExistsError) Error() string { return e.Text }

// Check tells whether the interpreter has both packages, before a run is read.
func Check(ctx context.Context, cfg Config) error {
	out, err := command(ctx, cfg, "-c", "import provenir.wandb_export, wandb").CombinedOutput()
	if err == nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	why := lines[len(lines)-1]
	if why == "" {
		why = err.Error()
	}
	return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_EXPORTER_UNAVAILABLE,
		"%s cannot write a run of Weights & Biases: %s; install wandb and sdk/python for it, name another interpreter in PROVENIR_PYTHON, or export tensorboard and run `wandb sync` on the folder",
		cfg.python(), why)
}

func (c Config) python() string {
	if c.Python == "" {
		return "python3"
	}
	return c.Python
}

func command(ctx context.Context, cfg Config, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, cfg.python(), args...)
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// end says that the export is whole. Without it Python could not tell a run from the beginning of one.
const end = `{"type":"end"}` + "\n"

// Write gives the recorder's JSON lines to Python.
func Write(ctx context.Context, cfg Config, jsonl io.Reader) (*Done, error) {
	args := []string{"-m", "provenir.wandb_export", "--run", cfg.Run, "--out", cfg.Out, "--project", cfg.Project}
	if cfg.Out == "" {
		args[5] = "."
	}
	if cfg.Force {
		args = append(args, "--force")
	}
	in := &source{r: io.MultiReader(jsonl, strings.NewReader(end))}
	var out, said bytes.Buffer
	cmd := command(ctx, cfg, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, &said
	err := cmd.Run()
	if in.err != nil { // the export broke off: what Python made of its beginning is not the run
		return nil, in.err
	}
	var exit *exec.ExitError
	text := strings.TrimSpace(said.String())
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == 2:
		return nil, &ExistsError{text}
	case err != nil:
		return nil, fmt.Errorf("wandb: %w: %s", err, text[max(0, len(text)-500):])
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n") // the package may print on its own
	done := &Done{}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), done); err != nil {
		return nil, fmt.Errorf("wandb: the last line of its output is no answer of ours: %w", err)
	}
	return done, nil
}

// source remembers why an export broke off.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}
