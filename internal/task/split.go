package task

import (
	"crypto/sha256"
	"fmt"
)

// Split is a part of a pack.
type Split string

// The splits: 80, 10 and 10 of each hundred by content.
const (
	Train Split = "train"
	Dev   Split = "dev"
	Test  Split = "test"
)

// ParseSplit reads a split's name.
func ParseSplit(name string) (Split, error) {
	switch s := Split(name); s {
	case Train, Dev, Test:
		return s, nil
	default:
		return "", fmt.Errorf("no split %q; allowed: %s, %s, %s", name, Train, Dev, Test)
	}
}

// splitOf assigns by content: SHA-256 of the canonical instance mod 100. Instances that ask the same thing in another
// order of terms must share a canonical form, else a policy could train on 25+47 and be tested on 47+25.
func splitOf(canonical string) Split {
	sum := sha256.Sum256([]byte(canonical))
	rest := 0
	for _, b := range sum { // the digest as one big-endian number, mod 100
		rest = (rest<<8 | int(b)) % 100
	}
	switch {
	case rest < 80:
		return Train
	case rest < 90:
		return Dev
	default:
		return Test
	}
}
