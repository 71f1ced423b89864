package passport

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// File is a file of a model with its SHA-256.
type File struct {
	Name   string
	Digest [32]byte
	Size   int64
}

// ignored are left out at the top level of a model folder, as OpenSSF Model Signing does.
var ignored = []string{".git", ".gitignore", ".gitattributes", ".github", "model.sig"}

// ErrModelEmpty is the refusal of a folder without files.
var ErrModelEmpty = errors.New("the model folder has no files")

// ErrNotRegular is the refusal of links, pipes and devices: a link could point anywhere, a pipe would block.
var ErrNotRegular = errors.New("is no regular file; copy the file itself into the folder")

// Files hashes a model folder. Links and names that could hide something are refused.
func Files(model fs.FS) ([]File, error) {
	var out []File
	err := fs.WalkDir(model, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if slices.Contains(ignored, name) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%q: %w", name, ErrNotRegular)
		}
		if err := checkName(name); err != nil {
			return err
		}
		f, err := hash(model, name)
		out = append(out, f)
		return err
	})
	if err == nil && len(out) == 0 {
		err = ErrModelEmpty
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// ErrName is the refusal of a file name that two systems, or a person and a program, would read differently.
var ErrName = errors.New("the file name cannot be signed; rename the file")

// checkName refuses control characters (a line end would forge a line of DirHash), marks that turn the direction of
// writing, and the backslash, which separates folders elsewhere.
func checkName(name string) error {
	odd := func(r rune) bool {
		return unicode.IsControl(r) || r == '\\' || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
	}
	if !utf8.ValidString(name) || strings.ContainsFunc(name, odd) {
		return fmt.Errorf("%q: %w", name, ErrName)
	}
	return nil
}

func hash(model fs.FS, name string) (File, error) {
	f, err := model.Open(name)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return File{Name: name, Digest: [32]byte(h.Sum(nil)), Size: n}, err
}

// Root is OpenSSF Model Signing's: SHA-256 over the files' digests in name order. It does not bind the names; DirHash does.
func Root(files []File) string {
	h := sha256.New()
	for _, f := range files {
		h.Write(f.Digest[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// DirHash is Hash1 of golang.org/x/mod/sumdb/dirhash over the files, as lower-case hex.
func DirHash(files []File) string {
	// Hash1 hashes a list of "digest  name" lines in name order; the digests are known already.
	var list bytes.Buffer
	for _, f := range files {
		fmt.Fprintf(&list, "%x  %s\n", f.Digest, f.Name)
	}
	sum := sha256.Sum256(list.Bytes())
	return hex.EncodeToString(sum[:])
}

// Subjects are what a statement speaks of: the root, then each file.
func Subjects(model string, files []File) []Subject {
	out := []Subject{{Name: model, Digest: map[string]string{"sha256": Root(files), "dirHash": DirHash(files)}}}
	for _, f := range files {
		out = append(out, Subject{Name: f.Name, Digest: map[string]string{"sha256": hex.EncodeToString(f.Digest[:])}})
	}
	return out
}
