package task

import (
	"crypto/sha256"
	"encoding/hex"
)

// Instance is one problem.
type Instance struct {
	ID         string // SHA-256 of pack, version and prompt, in hex
	Prompt     string // what the policy is given
	Reference  string // the answer; the policy never sees it
	Completion string // a demonstration for supervised warm-up; empty where the pack has none
	Spec       string // the verifier that judges an answer, as spec text
	Row        string // further columns that the verifier needs, as a JSON object; empty for none
	Split      Split
	Difficulty int // 1 to 10
}

// Setting chooses how hard instances are. The zero value is difficulty 1.
type Setting struct {
	Difficulty int    // 1 to 10; 0 is the preset's, or 1 without a preset
	Preset     string // a named setting of the pack; empty for none
}

func contentID(pack, version, prompt string) string {
	h := sha256.New()
	writePart(h, pack)
	writePart(h, version)
	writePart(h, prompt)
	return hex.EncodeToString(h.Sum(nil))
}
