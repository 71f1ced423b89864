package sandbox

import (
	"fmt"
	"hash"
	"io"
	"os"
)

// Identity is what decides how a program behaves besides itself. It belongs into the digest of a verifier.
type Identity struct {
	Version string `json:"version"` // as the interpreter tells it
	Binary  string `json:"binary"`  // SHA-256 of the interpreter
	Library string `json:"library"` // SHA-256 of the standard library that jobs see: names and contents of .py and .so files
	Inside  string `json:"inside"`  // SHA-256 of our own Python in the sandbox
	// Packages is what Pool.Packages says, where jobs see packages.
	Packages string `json:"packages,omitempty"`
}

func addFile(h hash.Hash, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read %s for the verifier's digest: %w", path, err)
	}
	defer f.Close()
	n, err := io.Copy(h, f)
	fmt.Fprintf(h, "\x00%d", n)
	return err
}
