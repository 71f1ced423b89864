package cluster

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// stopOutsideTransaction sends SIGSTOP to a role, again and again until it sleeps without the write lock of its database.
func (c *cluster) stopOutsideTransaction(role string) {
	c.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(c.dir, role+".db")+"?_txlock=immediate&_pragma=busy_timeout(0)")
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			c.t.Error(err)
		}
	}()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		c.signal(role, syscall.SIGSTOP)
		c.awaitStopped(role)
		tx, begun := db.BeginTx(c.t.Context(), nil)
		if begun == nil {
			if err := tx.Rollback(); err != nil {
				c.t.Fatal(err)
			}
			return
		}
		c.t.Logf("stopped within a transaction (%v): once more", begun)
		c.signal(role, syscall.SIGCONT)
		runtime.Gosched()
	}
	c.t.Fatalf("%s was within a transaction whenever it was stopped", role)
}

// awaitStopped waits until the kernel says that a process is stopped: the signal alone does not say when.
func (c *cluster) awaitStopped(role string) {
	c.t.Helper()
	file := fmt.Sprintf("/proc/%d/stat", c.procs[role].cmd.Process.Pid)
	for end := time.Now().Add(time.Minute); time.Now().Before(end); runtime.Gosched() {
		b, err := os.ReadFile(file)
		if err != nil {
			c.t.Fatal(err)
		}
		if i := bytes.LastIndexByte(b, ')'); i >= 0 && bytes.HasPrefix(b[i+1:], []byte(" T")) {
			return
		}
	}
	c.t.Fatalf("%s does not stop", role)
}
