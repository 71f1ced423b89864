package governance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/proto"

	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/internal/outbox"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/passport"
	"github.com/provenir/provenir/services/governance/seal"
)

// files of the folder that an outside party gets.
const (
	fileModelSig  = "model.sig"
	filePassport  = "passport.json"
	fileBundle    = "passport.intoto.sigstore.json"
	fileBlobSig   = "passport.sigstore.json"
	fileBOM       = "bom.json"
	fileLogVKey   = "log.vkey"
	fileSignerPEM = "keys/signer.pem"
	modelFolder   = "model"
)

// publish writes the folder, puts it in place, and lists the passport together with its message.
func (s *Service) publish(ctx context.Context, tmp, inputs string, doc seal.Document, f seal.Facts, statement []byte, signer passport.Signer) (*governancev1.SealedBom, error) {
	bundle, err := passport.SignEnvelope(signer, passport.PayloadType, statement)
	if err != nil {
		return nil, err
	}
	blobSig, err := passport.SignMessage(signer, statement)
	if err != nil {
		return nil, err
	}
	public, err := passport.PublicPEM(signer.Public())
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{filePassport: statement, fileBundle: bundle, fileBlobSig: blobSig, fileBOM: f.BOM,
		fileLogVKey: []byte(doc.Ledger.VKey + "\n"), fileSignerPEM: public}
	if !doc.Tracked() {
		files[fileModelSig] = f.OMS
	}
	for name, content := range files {
		if err := write(filepath.Join(tmp, name), bytes.NewReader(content)); err != nil {
			return nil, err
		}
	}
	folder := filepath.Join(s.cfg.Dir, f.RunID)
	if err := os.RemoveAll(folder); err != nil { // what a crash left between rename and the row below
		return nil, err
	}
	if err := os.Rename(tmp, folder); err != nil {
		return nil, err
	}
	if err := errors.Join(os.Chmod(folder, 0o755), blob.SyncDir(s.cfg.Dir)); err != nil {
		return nil, err
	}
	out := &governancev1.SealedBom{Passport: name(statement), Bom: name(f.BOM), KeyId: f.KeyID, Folder: folder}
	caller, _ := identity.FromContext(ctx)
	body, err := proto.Marshal(out)
	if err != nil {
		return nil, err
	}
	err = s.d.DB.Within(ctx, func(tx store.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO passports (run, inputs, digest, bom, model, key_id, folder, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			f.RunID, inputs, out.GetPassport(), out.GetBom(), f.ModelID, f.KeyID, folder, f.SignedAt.UnixMilli()); err != nil {
			return err
		}
		return outbox.Add(ctx, tx, outbox.Message{ID: "bom." + f.RunID, Subject: "provenir.v1." + caller.Tenant + ".bom." + f.RunID + ".sealed", Body: body,
			Headers: map[string]string{"Provenir-Schema": "provenir.governance.v1.SealedBom", "ce-specversion": "1.0", "ce-id": "bom." + f.RunID,
				"ce-type": "dev.provenir.bom.sealed", "ce-source": "/runs/" + f.RunID, "content-type": "application/protobuf"}})
	})
	s.relay.Wake()
	return out, err
}

func name(b []byte) string {
	h := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(h[:])
}
