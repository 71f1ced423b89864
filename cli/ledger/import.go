package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/spool"
	"github.com/provenir/provenir/mesh"
)

// take is `ledger import`: rows that a tracker spooled become the run's ledger.
func take(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use: "import SPOOL…", Short: "Take in what provenir.track has spooled",
		Long: "SPOOL is a file of provenir.track/v1, or a folder of them (*.jsonl). Each is read to its end before the first row is\n" +
			"sent. A last line that a kill cut off is named and left out; any other damage is refused with its line. Importing again\n" +
			"changes nothing, and a spool that has grown goes on where it was. The detectors read every step on the way. Exit 1 where\n" +
			"the spool is not what the ledger has, 2 where a line cannot be read.",
		Example: "  provenir ledger import .provenir/spool\n  provenir ledger import run.jsonl --server localhost:9090 --json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			files, err := spools(args)
			if err != nil {
				return app.Usage(err)
			}
			var read []*spooled
			for _, f := range files {
				one, err := scan(f)
				if err != nil {
					return app.Usage(fmt.Errorf("%s: %w", f, err))
				}
				read = append(read, one)
			}
			s, err := a.Connect(cmd.Context(), mesh.Recorder)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			return importAll(cmd.Context(), a, recorderv1.NewRecorderServiceClient(s.Conn), read)
		},
	}
}

// spools lists the files; a folder's in the order of their names, which is that of their beginnings.
func spools(args []string) ([]string, error) {
	var out []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			out = append(out, arg)
			continue
		}
		found, err := filepath.Glob(filepath.Join(arg, "*.jsonl"))
		if err != nil || len(found) == 0 {
			return nil, fmt.Errorf("%s holds no *.jsonl", arg)
		}
		slices.Sort(found)
		out = append(out, found...)
	}
	return out, nil
}

// spooled is what a file holds.
type spooled struct {
	file string
	head *spool.Row // who wrote it last
	open bool       // it has the run from its beginning; else the rest of what a server has
	torn *spool.Torn
	size int64 // of its whole rows
}

// scan reads a spool to its end, so that nothing is recorded of one that cannot be read.
func scan(file string) (*spooled, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := spool.NewReader(f)
	s := &spooled{file: file}
	for {
		line, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		s.open = s.open || line.Row.Type == spool.Open
		s.size += int64(len(line.Text)) + 1
	}
	s.head, s.torn = r.Head(), r.Torn()
	if s.head == nil {
		return nil, errors.New("no whole row is in it")
	}
	return s, nil
}

func importAll(ctx context.Context, a *app.App, c recorderv1.RecorderServiceClient, read []*spooled) error {
	var failed []error
	for _, s := range read {
		got, err := s.send(ctx, c)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", s.file, err))
			if len(read) == 1 {
				return err
			}
			a.Warn("%s: %s", s.file, app.Message(err))
			continue
		}
		if err := got.print(a); err != nil {
			return err
		}
	}
	if len(failed) > 0 {
		return app.Exit{Code: app.Code(errors.Unwrap(failed[0])), Err: fmt.Errorf("%d of %d spools were not taken in", len(failed), len(read))}
	}
	return nil
}
