// Package app is what every verb shares: streams, settings, the connection to a mesh, and exit codes.
package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/provenir/provenir/internal/config"
	"github.com/provenir/provenir/internal/rpc"
)

// App is one run of the command.
type App struct {
	In       io.Reader
	Out      io.Writer // results only
	Err      io.Writer // progress, warnings, logs
	Env      func(string) (string, bool)
	Terminal bool // Err is a terminal: progress may be drawn

	// Global flags.
	Server      string
	TokenFile   string
	ConfigFile  string
	JSON        bool
	Quiet       bool
	Unsandboxed bool                 // the verb that runs may run programs below isolation tier 2
	read        bool                 // standard input was taken
	flags       map[string][]*string // settings given as flags, by key; several verbs may have a flag for one key
}

// New takes the process's streams.
func New() *App {
	info, err := os.Stderr.Stat()
	return &App{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.LookupEnv, Terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// Bind adds the global flags.
func (a *App) Bind(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVar(&a.Server, "server", "", "address of a mesh (host:port); without it the verb starts the roles it needs itself")
	f.StringVar(&a.TokenFile, "token-file", "", "file with the mesh's token (default: PROVENIR_TOKEN, else <data>/token)")
	f.StringVar(&a.ConfigFile, "config-file", "", "settings of the mesh (default: provenir.yaml, where it is there)")
	f.BoolVar(&a.JSON, "json", false, "print JSON on standard output and nothing else there")
	f.BoolVar(&a.Quiet, "quiet", false, "no progress")
	a.flags = map[string][]*string{"data": {f.String("data", "", "folder of everything that is kept (default .provenir)")}}
}

// Setting adds a flag for one setting of the mesh.
func (a *App) Setting(cmd *cobra.Command, flag, key, doc string) {
	a.flags[key] = append(a.flags[key], cmd.Flags().String(flag, "", doc))
}

// Settings resolves flag, environment, file and default.
func (a *App) Settings() (config.Settings, error) {
	given := map[string]string{}
	for key, values := range a.flags {
		for _, v := range values { // only the flags of the verb that runs are set
			if *v != "" {
				given[key] = *v
			}
		}
	}
	s, err := config.Resolve(config.Sources{Flags: given, Env: a.Env, File: a.ConfigFile})
	if err != nil {
		return nil, Usage(err)
	}
	return s, nil
}

// token finds the credential: environment, file, or what `up` wrote.
func (a *App) token(s config.Settings) (string, error) {
	if t, ok := a.Env("PROVENIR_TOKEN"); ok && t != "" {
		return t, nil
	}
	path := a.TokenFile
	if path == "" {
		path = s.TokenFile()
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", Unchecked(fmt.Errorf("no token: %w; give --token-file or PROVENIR_TOKEN", err))
	}
	return strings.TrimSpace(string(b)), nil
}

// ServerAddress is --server, or PROVENIR_SERVER.
func (a *App) ServerAddress() string {
	if a.Server != "" {
		return a.Server
	}
	v, _ := a.Env("PROVENIR_SERVER")
	return v
}

// Command is how this program was called: what people can type again, also when it is not on their PATH.
func Command() string {
	if strings.Contains(os.Args[0], "/") && !strings.HasSuffix(os.Args[0], ".test") {
		return os.Args[0]
	}
	return "provenir"
}

// Note writes a line for people to standard error, unless it is to be quiet.
func (a *App) Note(format string, args ...any) {
	if !a.Quiet {
		fmt.Fprintf(a.Err, format+"\n", args...)
	}
}

// Print writes a line of the result for people; with --json nothing but JSON goes to standard output.
func (a *App) Print(format string, args ...any) {
	if !a.JSON {
		fmt.Fprintf(a.Out, format+"\n", args...)
	}
}

// PrintJSON writes one JSON document on a line.
func (a *App) PrintJSON(v any) error {
	if m, ok := v.(proto.Message); ok {
		b, err := protojson.Marshal(m)
		if err != nil {
			return err
		}
		v = json.RawMessage(b)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = a.Out.Write(append(b, '\n'))
	return err
}

// WriteFile writes to a temporary name, syncs and renames. An existing file needs force.
func WriteFile(path string, b []byte, force bool) error {
	if err := Vacant(path, force); err != nil { // again: it may have come while we worked
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".provenir-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(b)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// Exit codes.
const (
	CodeFails       = 1   // a check does not hold
	CodeUsage       = 2   // wrong use or bad input
	CodeUnchecked   = 3   // could not be checked
	CodeInterrupted = 130 // Ctrl-C
)

// Exit is an error that names its exit code.
type Exit struct {
	Code int
	Err  error
}

func (e Exit) Error() string { return e.Err.Error() }
func (e Exit) Unwrap() error { return e.Err }

// Usage is wrong use.
func Usage(err error) error { return Exit{CodeUsage, err} }

// Fails is a check that does not hold.
func Fails(err error) error { return Exit{CodeFails, err} }

// Unchecked is a check that could not be made.
func Unchecked(err error) error { return Exit{CodeUnchecked, err} }

// Code gives an error's exit code: its own, or what the status of a call means.
func Code(err error) int {
	var e Exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e.Code
	case errors.Is(err, context.Canceled):
		return CodeInterrupted
	}
	switch status.Code(err) {
	case codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.OutOfRange, codes.PermissionDenied, codes.Unauthenticated:
		return CodeUsage
	case codes.DataLoss:
		return CodeFails
	case codes.Canceled:
		return CodeInterrupted
	case codes.Unknown:
		return CodeUsage // cobra's: unknown verb or flag
	default:
		return CodeUnchecked
	}
}

// Message is what a person reads of an error: text, reason and which fields are wrong.
func Message(err error) string {
	text := rpc.Message(err)
	var e Exit
	if errors.As(err, &e) {
		text = rpc.Message(e.Err)
		err = e.Err
	}
	if reason := rpc.Reason(err); reason != "" && reason != "INTERNAL" {
		text += " [" + reason + "]"
	}
	return text
}
