package enginelog

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Tail's looks are taken by hand, so that no test waits for a clock.
func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	var got, restarts []string
	tail := &Tail{Path: path, OnRestart: func(why string) { restarts = append(restarts, why) }}
	look := func(want ...string) {
		t.Helper()
		got = nil
		if err := tail.look(func(r Row) error { got = append(got, string(r.JSON)); return nil }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	write := func(flag int, text string) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|flag, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	look() // not there yet
	write(os.O_APPEND, "{\"a\":1}\n{\"a\":")
	look(`{"a":1}`) // what is begun waits
	write(os.O_APPEND, "2}\nchatter\nstep:3 - a:3\n")
	look(`{"a":2}`, `{"step":3,"a":3}`)
	look()
	write(os.O_TRUNC, "{\"b\":1}\n")
	look(`{"b":1}`)
	if !slices.Equal(restarts, []string{"it was cut"}) {
		t.Errorf("restarts %q", restarts)
	}
	// Rotation: the last lines of the old file come before those of the new one.
	write(os.O_APPEND, "{\"b\":2}\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	look()
	write(os.O_APPEND, "{\"c\":1}\n{\"c\":2}\n{\"c\":3}\n")
	look(`{"b":2}`, `{"c":1}`, `{"c":2}`, `{"c":3}`)
	if len(restarts) != 2 {
		t.Errorf("restarts %q", restarts)
	}
	if err := tail.file.Close(); err != nil {
		t.Fatal(err)
	}
}
