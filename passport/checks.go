package passport

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// issuance compares what the signed bytes say of the signature with the signature.
func (r *Result) issuance(s Statement, key *ecdsa.PublicKey) {
	id, err := KeyID(key)
	i := s.Predicate.Issuance
	if err != nil || i.KeyID != id || i.Algorithm != Algorithm {
		r.add("issuance", Fails, "algorithm or key inside the signed bytes are not those of the signature")
		return
	}
	if at, err := time.Parse(time.RFC3339, i.SignedAt); err != nil || at.UTC().Format(time.RFC3339) != i.SignedAt {
		r.add("issuance", Fails, "signedAt is no time in UTC as RFC 3339 writes it")
		return
	}
	r.add("issuance", Holds, "signed at "+i.SignedAt+" by the signer's own clock")
}

// files demands every digest of every subject, and no file beside them.
func (r *Result) files(s Statement, model fs.FS) {
	want, err := signedFiles(s)
	if err != nil {
		r.add("subject_files", Fails, err.Error())
		return
	}
	if model == nil {
		r.add("subject_files", Unchecked, "no model folder was given")
		return
	}
	got, err := Files(model)
	if err != nil {
		r.add("subject_files", Fails, err.Error())
		return
	}
	if d := difference(want, got); d != "" {
		r.add("subject_files", Fails, d)
		return
	}
	r.add("subject_files", Holds, fmt.Sprintf("%d files", len(got)))
}

// signedFiles are the files as the statement has them. They alone give the root digests, so a root that does not follow
// from them shows without the model.
func signedFiles(s Statement) ([]File, error) {
	var out []File
	for _, f := range s.Subject[1:] {
		b, err := hex.DecodeString(f.Digest["sha256"])
		if err != nil || len(b) != sha256.Size {
			return nil, fmt.Errorf("%s: its digest is no SHA-256", f.Name)
		}
		out = append(out, File{Name: f.Name, Digest: [32]byte(b)})
	}
	root := s.Subject[0].Digest
	if root["sha256"] != Root(out) || root["dirHash"] != DirHash(out) {
		return nil, errors.New("the model's root digests are not those of its files")
	}
	return out, nil
}

// difference names the first file, in name order, that is not the same on both sides; empty when there is none.
func difference(want, got []File) string {
	for i, w := range want {
		switch {
		case i == len(got) || w.Name < got[i].Name:
			return w.Name + " is in the passport and not in the folder"
		case w.Name > got[i].Name:
			return got[i].Name + " is in the folder and not in the passport"
		case w.Digest != got[i].Digest:
			return w.Name + " has other bytes"
		}
	}
	if len(got) > len(want) {
		return got[len(want)].Name + " is in the folder and not in the passport"
	}
	return ""
}

func (r *Result) bom(s Statement, bom []byte) {
	if bom == nil {
		r.add("bom", Unchecked, "bom.json was not given")
		return
	}
	h := sha256.Sum256(bom)
	if err := RequireCanonical(bom); err != nil || s.Predicate.BOM.Digest["sha256"] != hex.EncodeToString(h[:]) {
		r.add("bom", Fails, "bom.json is not the one that was signed")
		return
	}
	r.add("bom", Holds, "")
}
