// Package doctor is `provenir doctor`: whether the installation can do what it is for.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/config"
	"github.com/provenir/provenir/mesh"
)

// finding is one line of the report.
type finding struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// NewCommand is the verb.
func NewCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Check this installation", Args: cobra.NoArgs,
		Long:    "Tries what the mesh needs: a data folder that can be written and synced, free ports, ONNX Runtime by running a model on it.",
		Example: "  provenir doctor\n  provenir doctor --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.Settings()
			if err != nil {
				return err
			}
			found := []finding{{"platform", true, fmt.Sprintf("%s/%s, %d cores, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())},
				folder(s.Get("data"))}
			for _, key := range []string{"grpc.listen", "http.listen", "nats.listen"} {
				found = append(found, port(s, key))
			}
			found = append(found, engine(cmd.Context(), a))
			return report(a, found)
		},
	}
}

func report(a *app.App, found []finding) error {
	var bad []string
	for _, f := range found {
		mark := "ok "
		if !f.OK {
			mark = "BAD"
			bad = append(bad, f.Name)
		}
		a.Print("%s  %-12s %s", mark, f.Name, f.Detail)
	}
	if a.JSON {
		if err := a.PrintJSON(map[string]any{"ok": len(bad) == 0, "findings": found}); err != nil {
			return err
		}
	}
	if len(bad) > 0 {
		return app.Fails(fmt.Errorf("%d of %d checks do not hold: %v", len(bad), len(found), bad))
	}
	return nil
}

// folder writes and syncs a file where the mesh will.
func folder(dir string) finding {
	f := finding{Name: "data", Detail: dir}
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		var probe *os.File
		if probe, err = os.CreateTemp(dir, ".doctor-*"); err == nil {
			_, err = probe.WriteString("x")
			err = errors.Join(err, probe.Sync(), probe.Close(), os.Remove(probe.Name()))
		}
	}
	if f.OK = err == nil; err != nil {
		f.Detail = err.Error()
	} else if abs, err := filepath.Abs(dir); err == nil {
		f.Detail = abs + " can be written and synced"
	}
	return f
}

func port(s config.Settings, key string) finding {
	addr := s.Get(key)
	f := finding{Name: key, OK: true, Detail: addr + " is free"}
	if addr == "off" {
		f.Detail = "off"
		return f
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return finding{key, false, err.Error() + "; another mesh may be running: set " + config.Key{Name: key}.Env()}
	}
	if err := l.Close(); err != nil {
		return finding{key, false, err.Error()}
	}
	return f
}

// engine asks the trainer, which runs a tiny model to find out.
func engine(ctx context.Context, a *app.App) finding {
	s, err := a.Connect(ctx, mesh.Trainer)
	if err != nil {
		return finding{"engine", false, err.Error()}
	}
	defer s.Close()
	got, err := trainerv1.NewTrainerServiceClient(s.Conn).ListEngines(ctx, &trainerv1.ListEnginesRequest{Probe: true})
	if err != nil {
		return finding{"engine", false, err.Error()}
	}
	for _, e := range got.GetEngines() {
		if e.GetName() == "builtin" {
			return finding{"engine", e.GetAvailable(), e.GetDetail()}
		}
	}
	return finding{"engine", false, "no built-in engine"}
}
