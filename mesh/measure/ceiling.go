package measure

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// appendSync is what the disk gives: n records of a size appended to a file with one fdatasync for each 64.
func appendSync(_ context.Context, dir string, size, n int) (float64, error) {
	f, err := os.Create(filepath.Join(dir, "ceiling"))
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	buf := make([]byte, 64*size)
	if _, err := rand.Read(buf); err != nil {
		return 0, errors.Join(err, f.Close())
	}
	begin := time.Now()
	for range n / 64 {
		if _, err := f.Write(buf); err != nil {
			return 0, errors.Join(err, f.Close())
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return 0, errors.Join(err, f.Close())
		}
	}
	took := time.Since(begin)
	return perSecond(n/64*64, took), f.Close()
}
