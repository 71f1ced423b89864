// Package config resolves the settings of a mesh: flag, then environment, then file, then default, and remembers which.
package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/provenir/provenir/internal/protoyaml"
)

// Value is a setting with its origin: flag, env NAME, file:line, or default.
type Value struct {
	Text   string
	Origin string
}

// Settings are all keys with their values.
type Settings map[string]Value

// Sources are where settings come from; nil or empty ones are left out.
type Sources struct {
	Flags map[string]string
	Env   func(name string) (string, bool)
	File  string // path; empty looks for provenir.yaml in the working folder
}

// Resolve gives every key a value. An unknown key in the file is an error with its line and the nearest name.
func Resolve(src Sources) (Settings, error) {
	file, err := readFile(src.File)
	if err != nil {
		return nil, err
	}
	out := Settings{}
	for _, k := range Keys() {
		v := Value{k.Default, "default"}
		if f, ok := file[k.Name]; ok {
			v = f
		}
		if src.Env != nil {
			if text, ok := src.Env(k.Env()); ok {
				v = Value{text, "env " + k.Env()}
			}
		}
		if text, ok := src.Flags[k.Name]; ok {
			v = Value{text, "flag"}
		}
		out[k.Name] = v
	}
	return out, out.check()
}

// Get gives a key's value.
func (s Settings) Get(key string) string { return s[key].Text }

// TokenFile is where the mesh's token lies.
func (s Settings) TokenFile() string {
	if f := s.Get("mesh.token_file"); f != "" {
		return f
	}
	return filepath.Join(s.Get("data"), "token")
}

// Threads of the built-in engine.
func (s Settings) Threads() int {
	n, _ := strconv.Atoi(s.Get("engine.threads")) // check has parsed it
	return n
}

func (s Settings) check() error {
	if n, err := strconv.Atoi(s.Get("engine.threads")); err != nil || n < 1 || n > 256 {
		return s.wrong("engine.threads", "want a number from 1 to 256")
	}
	if _, err := strconv.ParseBool(s.Get("engine.spin")); err != nil {
		return s.wrong("engine.spin", "want true or false")
	}
	switch s.Get("log.level") {
	case "debug", "info", "warn", "error":
	default:
		return s.wrong("log.level", "want debug, info, warn or error")
	}
	if n, err := strconv.Atoi(s.Get("recorder.ship.lock_days")); err != nil || n < 0 {
		return s.wrong("recorder.ship.lock_days", "want a number of days")
	}
	if (s.Get("recorder.ship.endpoint") == "") != (s.Get("recorder.ship.bucket") == "") {
		return s.wrong("recorder.ship.endpoint", "endpoint and bucket belong together: give both or none")
	}
	if every, err := time.ParseDuration(s.Get("recorder.ship.tail_every")); err != nil || every < 0 {
		return s.wrong("recorder.ship.tail_every", "want a time as 5m, or 0 for ended runs only")
	}
	if text := s.Get("recorder.ship.keep_local"); text != "" {
		if keep, err := time.ParseDuration(text); err != nil || keep < 0 {
			return s.wrong("recorder.ship.keep_local", "want a time as 720h, or nothing for ever")
		}
	}
	if text := s.Get("recorder.retain.events"); text != "never" {
		if n, err := strconv.Atoi(text); err != nil || n < 6 {
			return s.wrong("recorder.retain.events", "want a number of months of at least 6, or never")
		}
	}
	if s.Get("data") == "" {
		return s.wrong("data", "want a folder")
	}
	return nil
}

func (s Settings) wrong(key, want string) error {
	return fmt.Errorf("%s: %s: %q: %s", s[key].Origin, key, s[key].Text, want)
}

func envName(key string) string {
	return "PROVENIR_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func readFile(path string) (Settings, error) {
	explicit := path != ""
	if !explicit {
		path = "provenir.yaml"
	}
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) && !explicit {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return parse(path, b)
}

func parse(path string, b []byte) (Settings, error) {
	f, err := parser.ParseBytes(b, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", path, yaml.FormatError(err, false, false))
	}
	out := Settings{}
	for _, doc := range f.Docs {
		if doc.Body == nil {
			continue
		}
		if err := flatten(path, "", doc.Body, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func flatten(path, prefix string, n ast.Node, out Settings) error {
	line := n.GetToken().Position.Line
	m, ok := n.(ast.MapNode)
	if !ok {
		if prefix == "" {
			return fmt.Errorf("%s:%d: want keys such as data or grpc.listen", path, line)
		}
		return leaf(path, prefix, n, out)
	}
	for it := m.MapRange(); it.Next(); {
		key := strings.TrimSpace(it.Key().String())
		if prefix != "" {
			key = prefix + "." + key
		}
		if err := flatten(path, key, it.Value(), out); err != nil {
			return err
		}
	}
	return nil
}

func leaf(path, key string, n ast.Node, out Settings) error {
	line := n.GetToken().Position.Line
	var names []string
	for _, k := range Keys() {
		if k.Name == key {
			if _, twice := out[key]; twice {
				return fmt.Errorf("%s:%d: %s: given twice", path, line, key)
			}
			out[key] = Value{n.GetToken().Value, fmt.Sprintf("%s:%d", path, line)}
			return nil
		}
		names = append(names, k.Name)
	}
	return fmt.Errorf("%s:%d: %s: unknown key%s", path, line, key, protoyaml.DidYouMean(key, names))
}
