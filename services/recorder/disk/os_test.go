package disk_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/provenir/provenir/services/recorder/disk"
)

func open(t *testing.T) *disk.Dir {
	t.Helper()
	d, err := disk.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFileRoundTrip(t *testing.T) {
	d := open(t)
	if err := d.MkdirAll("a/b"); err != nil {
		t.Fatal(err)
	}
	f, err := d.Create("a/b/f")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("hello world"), 0); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(5), f.Sync(), d.SyncDir("a/b")); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Size(); err != nil || n != 5 {
		t.Errorf("size %d, %v", n, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err := d.ReadFile("a/b/f"); err != nil || string(b) != "hello" {
		t.Errorf("read %q, %v", b, err)
	}
	if _, err := d.Create("a/b/f"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("create an existing file: %v", err)
	}
	if err := d.Replace("a/b/f", []byte("other")); err != nil {
		t.Fatal(err)
	}
	if b, err := d.ReadFile("a/b/f"); err != nil || string(b) != "other" {
		t.Errorf("after Replace %q, %v", b, err)
	}
	entries, err := d.ReadDir("a/b")
	if err != nil || len(entries) != 1 {
		t.Errorf("Replace left something: %v, %v", entries, err)
	}
	if free, total, err := d.Free(); err != nil || free == 0 || total < free {
		t.Errorf("free %d of %d, %v", free, total, err)
	}
}

func TestLockIsExclusive(t *testing.T) {
	root := t.TempDir()
	first, err := disk.OpenDir(root)
	if err != nil {
		t.Fatal(err)
	}
	second, err := disk.OpenDir(root)
	if err != nil {
		t.Fatal(err)
	}
	l, err := first.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Lock(); !errors.Is(err, disk.ErrLocked) {
		t.Errorf("second lock: %v, want ErrLocked", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := second.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}
