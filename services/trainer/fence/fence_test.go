package fence

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/provenir/provenir/internal/store"
)

func TestLowerEpochsAreRefusedOverRestarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	for _, c := range []struct {
		epoch uint64
		stale bool
	}{{1, false}, {1, false}, {3, false}, {2, true}, {3, false}} {
		db, err := store.Open(t.Context(), path, []store.Migration{Migration})
		if err != nil {
			t.Fatal(err)
		}
		err = New(db).Enter(t.Context(), "r", c.epoch)
		var stale Stale
		if errors.As(err, &stale) != c.stale || (c.stale && stale.Latest != 3) {
			t.Errorf("epoch %d: %v", c.epoch, err)
		}
		if err := New(db).Enter(t.Context(), "other", 1); err != nil {
			t.Errorf("another run is fenced too: %v", err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
