package mesh

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/provenir/provenir/internal/faultline"
)

// lock takes a role's lock file in the data folder. Holding it means that no other process of this machine runs the role
// on this data: a lease of another owner is then a dead one's. The kernel frees it with the process, however it ends.
func lock(dir string, r Role) (release func() error, sole bool, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, err
	}
	f, err := os.OpenFile(filepath.Join(dir, string(r)+".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return f.Close, false, nil
	}
	if err != nil {
		return nil, false, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close())
	}
	return f.Close, true, nil
}

func faultFromEnv() (*faultline.Line, error) { return faultline.FromEnv(os.Getenv("PROVENIR_FAULT")) }
