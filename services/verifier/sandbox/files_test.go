//go:build linux

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFiles: files are there before a program starts and are given when it is dead, and a program that plays with links,
// pipes and sizes gets nothing of the host's into an answer.
func TestFiles(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("of the host"), 0o644); err != nil {
		t.Fatal(err)
	}
	given := []File{{"data/in.txt", []byte("3 4\n")}, {"empty", nil}, {"bytes", []byte("\x00\xff")}}
	tests := []struct {
		name, language, source string
		fetch                  string
		want, missing          string
	}{
		{name: "read and write", source: "a, b = map(int, open('data/in.txt').read().split()); open('out', 'w').write(str(a + b))", fetch: "out", want: "7"},
		{name: "as they were given", source: "pass", fetch: "bytes", want: "\x00\xff"},
		{name: "empty", source: "pass", fetch: "empty", want: ""},
		{name: "bash", language: "bash", source: "tr 3 9 < data/in.txt > data/out", fetch: "data/out", want: "9 4\n"},
		{name: "a header", language: "c", source: "#include <stdio.h>\nint x =\n#include \"empty\"\n7;\nint main(){fprintf(fopen(\"out\",\"w\"),\"%d\",x);return 0;}", fetch: "out", want: "7"},
		{name: "not there", source: "pass", fetch: "none", missing: "it is not there"},
		{name: "below a file", source: "pass", fetch: "bytes/x", missing: "it is not there"},
		{name: "a folder", source: "pass", fetch: "data", missing: "it is no plain file"},
		{name: "a link to the host", source: "import os; os.symlink('SECRET', 'out')", fetch: "out", missing: "it is a link"},
		{name: "a link inside", source: "import os; os.symlink('bytes', 'out')", fetch: "out", missing: "it is a link"},
		{name: "a folder that is a link", source: "import os; os.symlink('SECRETDIR', 'd')", fetch: "d/secret", missing: "it is a link"},
		{name: "a second name", source: "import os; os.link('bytes', 'out')", fetch: "out", missing: "it has more than one name"},
		{name: "a sparse giant", source: "f = open('out', 'w'); f.truncate(16 << 20)", fetch: "out", missing: "it has 16777216 bytes"},
		{name: "written to the end", source: "import os, time\nf = open('out', 'w'); f.write('x'); f.flush()\nif os.fork() == 0:\n    time.sleep(60)\n", fetch: "out", want: "x"},
		{name: "killed", source: "open('out', 'w').write('x')\nwhile True: pass", fetch: "out", want: "x"},
	}
	tiersAndT1(t, func(t *testing.T, p *Pool) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				source := strings.NewReplacer("SECRETDIR", filepath.Dir(secret), "SECRET", secret).Replace(tt.source)
				wall := 10 * time.Second
				if tt.name == "killed" {
					wall = 500 * time.Millisecond
				}
				r, err := p.Run(t.Context(), Job{Language: tt.language, Source: source, Files: given, Fetch: []string{tt.fetch}, Limits: Limits{Wall: wall}})
				if errors.Is(err, ErrLanguage) {
					t.Skip(err)
				}
				if err != nil || len(r.Files) != 1 {
					t.Fatalf("%+v, %v: %s %s", r.Files, err, r.Stderr, r.CompileError)
				}
				if f := r.Files[0]; f.Path != tt.fetch || string(f.Content) != tt.want || !strings.HasPrefix(f.Missing, tt.missing) || (f.Missing == "") != (tt.missing == "") {
					t.Errorf("%+v, want %q %q", f, tt.want, tt.missing)
				}
			})
		}
	})
}

// tiersAndT1 runs f with a pool at each tier where jobs have a folder.
func tiersAndT1(t *testing.T, f func(*testing.T, *Pool)) {
	tiers(t, f)
	t.Run(T1.String(), func(t *testing.T) {
		p := pool(t, below[0].cfg)
		f(t, p)
	})
}

func TestFilesThatAreRefused(t *testing.T) {
	many := make([]File, MaxFiles+1)
	for i := range many {
		many[i].Path = fmt.Sprint(i)
	}
	p := pool(t, Config{PoolSize: 1})
	for name, j := range map[string]Job{
		"up":                {Files: []File{{Path: "../x"}}},
		"up from inside":    {Files: []File{{Path: "a/../../x"}}},
		"absolute":          {Files: []File{{Path: "/box/x"}}},
		"the folder":        {Files: []File{{Path: "."}}},
		"nothing":           {Files: []File{{Path: ""}}},
		"a NUL":             {Files: []File{{Path: "a\x00b"}}},
		"no UTF-8":          {Files: []File{{Path: "\xff"}}},
		"a long name":       {Files: []File{{Path: strings.Repeat("x", 256)}}},
		"deep":              {Files: []File{{Path: strings.Repeat("d/", 16) + "x"}}},
		"twice":             {Files: []File{{Path: "x"}, {Path: "x"}}},
		"file and folder":   {Files: []File{{Path: "x"}, {Path: "x/y"}}},
		"folder and file":   {Files: []File{{Path: "x/y"}, {Path: "x"}}},
		"many":              {Files: many},
		"large":             {Files: []File{{Path: "x", Content: make([]byte, MaxGiven+1)}}},
		"larger than /box":  {Files: []File{{Path: "x", Content: make([]byte, 8192)}}, Limits: Limits{Box: 8192}},
		"its own name":      {Files: []File{{Path: "main.c"}}, Language: "c"},
		"the binary's name": {Files: []File{{Path: "program"}}, Language: "c"},
		"fetch up":          {Fetch: []string{"../x"}},
		"fetch many":        {Fetch: make([]string, MaxFiles+1)},
	} {
		j.Source = "pass"
		if _, err := p.Run(t.Context(), j); !errors.Is(err, ErrFiles) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.Run(t.Context(), Job{Language: "c", Source: "x", Compile: time.Hour}); !errors.Is(err, ErrLimits) && !errors.Is(err, ErrLanguage) {
		t.Errorf("an hour to compile: %v", err)
	}
}

func FuzzCheckPath(f *testing.F) {
	for _, s := range []string{"a", "a/b", "../a", "/a", "a//b", "a/./b", "a\\b", "ä/ö", "\xff", "a/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if checkPath(path) == nil && (!filepath.IsLocal(path) || filepath.Clean(path) != path) {
			t.Errorf("%q is taken", path)
		}
	})
}
