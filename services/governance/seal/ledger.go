package seal

import (
	"encoding/hex"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"github.com/provenir/provenir/ledger"
)

// CheckLedger says whether the document's checkpoints are what their notes say, signed by the recorder's key, each of
// another log of this run: a good checkpoint of another run or tenant proves nothing of this one.
func CheckLedger(d Document, tenant, run string) error {
	v, err := note.NewVerifier(d.Ledger.VKey)
	if err != nil {
		return fmt.Errorf("the recorder's key: %w", err)
	}
	twice := map[string]bool{}
	for _, c := range d.Ledger.Checkpoints {
		log, err := ledger.ParseLog(logName(c))
		if err != nil {
			return fmt.Errorf("checkpoint of %s: %w", c.Log, err)
		}
		if twice[log.String()] {
			return fmt.Errorf("two final checkpoints of %s", c.Log)
		}
		twice[log.String()] = true
		opened, _, err := ledger.OpenCheckpoint([]byte(c.Note), ledger.Origin(tenant, run, log), note.VerifierList(v))
		if err != nil {
			return fmt.Errorf("checkpoint of %s: %w", c.Log, err)
		}
		if opened.Size != c.Size || "sha256:"+hex.EncodeToString(opened.Root[:]) != c.Root {
			return fmt.Errorf("checkpoint of %s: the signed note says size %d and root %x", c.Log, opened.Size, opened.Root)
		}
	}
	return nil
}
