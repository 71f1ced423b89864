package store

import (
	"errors"
	"fmt"
	"path"

	"github.com/provenir/provenir/services/recorder/disk"
)

// writeDurably puts a small file in place and returns when it survives a power cut.
func writeDurably(d disk.FS, name string, data []byte) error {
	if err := d.Replace(name, data); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := syncFile(d, name); err != nil {
		return err
	}
	return d.SyncDir(path.Dir(name))
}

func syncFile(d disk.FS, name string) error {
	f, err := d.Edit(name)
	if err != nil {
		return fmt.Errorf("sync %s: %w", name, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", name, err)
	}
	return nil
}
