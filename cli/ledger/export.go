package ledger

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
)

// export packs a run's logs for an auditor: what `ledger verify` needs, and nothing else.
func export(a *app.App) *cobra.Command {
	var out string
	var force bool
	cmd := &cobra.Command{
		Use: "export RUN|DIR --out FILE.tar", Short: "Pack a run's logs so that they can be verified elsewhere",
		Long: "Writes the three logs of a run, their checkpoints and the seal into one archive (.tar, or .tar.gz), with the recorder's\n" +
			"public key beside them as log.vkey. Unpacked, `ledger verify DIR --vkey log.vkey` checks it without this machine. A run\n" +
			"that is still alive is packed as far as it is.",
		Example: "  provenir ledger export @last --out run.tar.gz\n  provenir ledger export ./ledger/default/06e8k --out - | ssh auditor tar x",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				return app.Usage(errors.New("give --out"))
			}
			if a.ServerAddress() != "" {
				return app.Usage(errors.New("the archive is made from the recorder's folder: run it on that machine, without --server"))
			}
			dir, err := folder(a, args[0])
			if err != nil {
				return err
			}
			if err := app.Vacant(out, force); err != nil {
				return err
			}
			return pack(a, dir, out)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "archive to write (- is standard output)")
	cmd.Flags().BoolVar(&force, "force", false, "replace the archive")
	return cmd
}

func pack(a *app.App, dir, out string) (err error) {
	s, err := a.Settings()
	if err != nil {
		return err
	}
	files, err := listing(dir)
	if err != nil {
		return err
	}
	w := a.Out
	temporary := out + ".part"
	if out != "-" {
		f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return app.Usage(err)
		}
		defer func() {
			if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
				_ = os.Remove(temporary) // the error says why there is none
				return
			}
			err = os.Rename(temporary, out)
		}()
		w = f
	}
	if strings.HasSuffix(out, ".gz") {
		z := gzip.NewWriter(w)
		defer func() { err = errors.Join(err, z.Close()) }()
		w = z
	}
	t := tar.NewWriter(w)
	defer func() { err = errors.Join(err, t.Close()) }()
	root := filepath.Base(dir)
	for _, name := range files {
		if err := add(t, filepath.Join(dir, name), filepath.ToSlash(filepath.Join(root, name))); err != nil {
			return err
		}
	}
	key := filepath.Join(s.Get("data"), "keys", "ledger.vkey")
	if err := add(t, key, root+"/log.vkey"); errors.Is(err, fs.ErrNotExist) {
		a.Note("%s is not here: send the recorder's public key by another way", key)
	} else if err != nil {
		return err
	}
	if out != "-" && !a.JSON {
		a.Print("%s: %d files of %s", out, len(files), root)
	}
	return nil
}

// listing orders files so that what is signed comes before what it signs: a log that grows meanwhile has at least the
// records of its packed checkpoints.
func listing(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(path, ".idx") || d.Name() == "shipped" || strings.Contains(d.Name(), ".seg.") || strings.Contains(d.Name(), ".retired.") {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		files = append(files, rel)
		return err
	})
	if err != nil {
		return nil, app.Usage(err)
	}
	if !slices.ContainsFunc(files, segment) {
		return nil, app.Usage(fmt.Errorf("%s holds no log", dir))
	}
	rank := func(name string) int {
		switch {
		case segment(name):
			return 2
		case strings.Contains(filepath.ToSlash(name), "tile/"):
			return 1
		}
		return 0
	}
	slices.SortStableFunc(files, func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) })
	return files, nil
}

// segment tells whether a file holds records, or stands for one that was moved away or retired.
func segment(name string) bool {
	return strings.HasSuffix(name, ".seg") || strings.HasSuffix(name, ".away") || strings.HasSuffix(name, ".retired")
}

// add writes a file as long as it is now; what is appended meanwhile is left out.
func add(t *tar.Writer, path, name string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: info.Size(), ModTime: info.ModTime(), Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err = io.CopyN(t, f, info.Size())
	return err
}
