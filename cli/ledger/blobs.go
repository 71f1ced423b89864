package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/provenir/provenir/cli/app"
	led "github.com/provenir/provenir/ledger"
)

// payloads checks records whose payload lies in a folder of blobs, by the record's digest: the blob folder of a mesh, or what
// was copied from where it was shipped to. Of an encrypted one the ciphertext is checked, and the rest is left to those who
// have the key.
func payloads(dir string) (func(*led.Frame) led.DigestState, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, app.Usage(fmt.Errorf("--blobs: %w", err))
	}
	if !info.IsDir() {
		return nil, app.Usage(fmt.Errorf("--blobs: %s is no folder", dir))
	}
	return func(f *led.Frame) led.DigestState {
		_, _, _, sealed := f.SealedBlob()
		if f.Flags&led.StoredAsBlob == 0 || f.Flags&led.StoredEncrypted != 0 && !sealed {
			return led.DigestUnchecked
		}
		digest := f.BlobDigest()
		name := hex.EncodeToString(digest[:])
		for _, at := range []string{filepath.Join(dir, name[:2], name), filepath.Join(dir, name)} {
			switch got, size, err := hashFile(at); {
			case errors.Is(err, fs.ErrNotExist):
			case err != nil:
				return led.DigestUnchecked
			case got != digest || !sealed && uint64(size) != f.Length:
				return led.DigestWrong
			case sealed: // it is the ciphertext that was stored; what is in it only the key tells
				return led.DigestUnchecked
			default:
				return led.DigestOK
			}
		}
		return led.DigestMissing
	}, nil
}

func hashFile(name string) (sum [32]byte, size int64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return sum, 0, err
	}
	h := sha256.New()
	size, err = io.Copy(h, f)
	h.Sum(sum[:0])
	return sum, size, errors.Join(err, f.Close())
}
