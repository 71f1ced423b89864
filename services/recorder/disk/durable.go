package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
)

// WriteDurably puts a small file in the place of another and returns when it survives a power cut. The new bytes are
// synced before they get the name: a cut, or a sync that fails, leaves the old file and never half of a new one.
func WriteDurably(d FS, name string, data []byte) error {
	tmp := name + ".tmp"
	if err := d.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write %s: %w", name, err)
	}
	f, err := d.Create(tmp)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if _, err = f.WriteAt(data, 0); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), d.Remove(tmp))
	}
	if err := d.Rename(tmp, name); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return d.SyncDir(path.Dir(name))
}

// SyncFile makes a file's content durable.
func SyncFile(d FS, name string) error {
	f, err := d.Edit(name)
	if err != nil {
		return fmt.Errorf("sync %s: %w", name, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", name, err)
	}
	return nil
}
