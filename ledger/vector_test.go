package ledger_test

import (
	"encoding/hex"
	"testing"

	"github.com/provenir/provenir/ledger"
)

// The vector of the format's description: any other implementation must get these bytes.
func TestVector(t *testing.T) {
	records := []struct {
		name    string
		typ     ledger.RecordType
		payload string
		leaf    string
	}{
		{"open", ledger.RunOpen, "open", "5e2b4b20"},
		{"step", ledger.Step, `{"step":1}`, "c38d992c"},
		{"empty", ledger.EngineEvent, "", "6e345a5e"},
	}
	var chain ledger.Hash
	var tree ledger.Tree
	for i, r := range records {
		t.Run(r.name, func(t *testing.T) {
			e := ledger.NewEntry(uint64(i), r.typ, []byte(r.payload))
			if n := len(e.AppendBinary(nil)); n != ledger.EntrySize {
				t.Errorf("entry has %d bytes, want %d", n, ledger.EntrySize)
			}
			leaf, next := e.Hashes(chain)
			if got := hex.EncodeToString(leaf[:4]); got != r.leaf {
				t.Errorf("leaf starts %s, want %s", got, r.leaf)
			}
			if leaf != e.Leaf() || next != e.Chain(chain) {
				t.Error("Hashes differs from Leaf and Chain")
			}
			chain = next
			tree.Append(leaf)
		})
	}
	if got, want := hex.EncodeToString(chain[:]), "017552ba9397f6d324c33812156588fe8e931edff8ae25b25c480d75dc7d1972"; got != want {
		t.Errorf("chain = %s, want %s", got, want)
	}
	root := tree.Root()
	if got, want := hex.EncodeToString(root[:]), "fb8e962a4ac8573889ba75abfbbb357e760f467a2630865444d0371cfc1a11be"; got != want {
		t.Errorf("root = %s, want %s", got, want)
	}
}
