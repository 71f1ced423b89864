package seal

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/provenir/provenir/passport"
)

// WithoutCosignatures gives the document as it would be if nobody had cosigned its checkpoints, in canonical form. The
// recorder asks for cosignatures again after a crash, so the same end of a run may be described with and without them.
// What is no document comes back as it is.
func WithoutCosignatures(document []byte) []byte {
	plain, err := passport.Canonical(document) // refuses a key that is there twice, of which Decode would take one
	if err != nil {
		return document
	}
	var whole map[string]any
	d := json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber()
	if d.Decode(&whole) != nil {
		return document
	}
	ledger, _ := whole["ledger"].(map[string]any)
	checkpoints, _ := ledger["checkpoints"].([]any)
	for _, c := range checkpoints {
		if c, ok := c.(map[string]any); ok {
			delete(c, "cosigned")
			if signed, ok := c["note"].(string); ok {
				c["note"], _, _ = strings.Cut(signed, "\n\n") // the text; who signed it is checked elsewhere
			}
		}
	}
	if plain, err = json.Marshal(whole); err != nil {
		return document
	}
	if plain, err = passport.Canonical(plain); err != nil {
		return document
	}
	return plain
}
