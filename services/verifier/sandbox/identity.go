package sandbox

// Identity is what decides how a program behaves besides itself. It belongs into the digest of a verifier.
type Identity struct {
	Version string `json:"version"` // as the interpreter tells it
	Binary  string `json:"binary"`  // SHA-256 of the interpreter
	Library string `json:"library"` // SHA-256 of the standard library that jobs see: names and contents of .py and .so files
	Inside  string `json:"inside"`  // SHA-256 of our own Python in the sandbox
}
