package governance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/internal/outbox"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/passport"
	"github.com/provenir/provenir/services/governance/oms"
	"github.com/provenir/provenir/services/governance/seal"
)

// SealBom makes everything that an outside party needs of a run, in one folder, and signs it. A run is sealed once: the
// same inputs give the same passport again, others are refused.
func (s *Service) SealBom(ctx context.Context, req *governancev1.SealBomRequest) (*governancev1.SealBomResponse, error) {
	if _, ok := idgen.Bytes(req.GetRunId()); !ok { // it becomes a folder's name
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "run_id %q is no run's uid", req.GetRunId())
	}
	inputs := inputsDigest(req)
	done, err := s.sealed(ctx, req.GetRunId(), inputs)
	if err != nil {
		return nil, err
	}
	if done == nil {
		if done, err = s.seal(ctx, req, inputs); err != nil {
			return nil, err
		}
	}
	answer, err := anypb.New(done)
	if err != nil {
		return nil, err
	}
	return &governancev1.SealBomResponse{Operation: &corev1.Operation{Name: "operations/governance/seal-" + req.GetRunId(), Done: true,
		Result: &corev1.Operation_Response{Response: answer}}}, nil
}

func inputsDigest(req *governancev1.SealBomRequest) string {
	h := sha256.New()
	for _, part := range [][]byte{req.GetCheckpoint(), req.GetDocument()} {
		d := sha256.Sum256(part)
		h.Write(d[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (s *Service) sealed(ctx context.Context, run, inputs string) (*governancev1.SealedBom, error) {
	out := &governancev1.SealedBom{}
	var was string
	err := s.d.DB.QueryRow(ctx, `SELECT inputs, digest, bom, key_id, folder FROM passports WHERE run = ?`, run).
		Scan(&was, &out.Passport, &out.Bom, &out.KeyId, &out.Folder)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	case was != inputs:
		return nil, rpc.Errorf(codes.Aborted, corev1.ErrorReason_ERROR_REASON_RUN_ALREADY_SEALED, "run %s is sealed with other inputs, as %s", run, out.GetPassport())
	}
	return out, nil
}

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

func (s *Service) seal(ctx context.Context, req *governancev1.SealBomRequest, inputs string) (*governancev1.SealedBom, error) {
	doc, err := seal.ReadDocument(req.GetDocument())
	if err != nil {
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%w", err)
	}
	if doc.State() != "succeeded" && !req.GetAllowPartial() {
		return nil, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FINISHED, "the run ended as %s; allow_partial seals it all the same", doc.State())
	}
	if err := seal.CheckLedger(doc, req.GetRunId()); err != nil {
		return nil, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_LEDGER_INCONSISTENT, "%w", err)
	}
	signer, key, err := s.keys.Signer(ctx, req.GetKeyId(), s.d.Clock.Now())
	if err != nil {
		return nil, keyProblem(err)
	}
	tmp, err := os.MkdirTemp(mustDir(s.cfg.Dir), ".sealing-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp) // what is left of it when something fails
	if err := s.model(ctx, req.GetCheckpoint(), filepath.Join(tmp, modelFolder)); err != nil {
		return nil, err
	}
	files, err := passport.Files(os.DirFS(filepath.Join(tmp, modelFolder)))
	if err != nil {
		return nil, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_MODEL_EMPTY, "%w", err)
	}
	evidence, err := s.evidenceEntries(ctx, req.GetRunId())
	if err != nil {
		return nil, err
	}
	f := seal.Facts{ModelID: modelID(doc, req.GetRunId()), RunID: req.GetRunId(), KeyID: key.ID, SignedAt: s.d.Clock.Now(), Files: files,
		Evidence: evidence, Flags: seal.Flags(doc, evidence)}
	if f.BOM, err = seal.Make(f.ModelID, req.GetCheckpoint(), files, req.GetDocument(), evidence, f.Flags); err != nil {
		return nil, err
	}
	if f.OMS, err = oms.Sign(signer, f.ModelID, files); err != nil {
		return nil, err
	}
	statement, err := seal.Statement(doc, f)
	if err != nil {
		return nil, err
	}
	return s.publish(ctx, tmp, inputs, doc, f, statement, signer)
}

func mustDir(dir string) string {
	_ = os.MkdirAll(dir, 0o700) // MkdirTemp says so if it could not be made
	return dir
}

func modelID(d seal.Document, run string) string {
	if d.Run.Name != "" {
		return d.Run.Name
	}
	return "run-" + run
}

// model copies the checkpoint's files out of the blob store, checking each digest.
func (s *Service) model(ctx context.Context, digest []byte, dir string) error {
	resp, err := s.d.Trainer.GetCheckpoint(ctx, &trainerv1.GetCheckpointRequest{Checkpoint: hex.EncodeToString(digest)})
	if err != nil {
		return fmt.Errorf("find the model checkpoint: %w", err)
	}
	for _, f := range resp.GetCheckpoint().GetFiles() {
		if !fs.ValidPath(f.GetPath()) {
			return fmt.Errorf("checkpoint file %q leaves its folder", f.GetPath())
		}
		if err := s.copy(ctx, f, filepath.Join(dir, filepath.FromSlash(f.GetPath()))); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) copy(ctx context.Context, f *corev1.FileRef, to string) error {
	d, err := blob.ParseDigest(f.GetDigest())
	if err != nil {
		return err
	}
	r, err := s.d.Blobs.Open(ctx, d)
	if err != nil {
		return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_BLOB_MISSING, "model file %s: %w", f.GetPath(), err)
	}
	defer r.Close()
	h := sha256.New()
	if err := write(to, io.TeeReader(r, h)); err != nil {
		return err
	}
	if !bytes.Equal(h.Sum(nil), d[:]) {
		return rpc.Errorf(codes.DataLoss, corev1.ErrorReason_ERROR_REASON_CHECKPOINT_CORRUPT, "model file %s has other bytes than its digest says", f.GetPath())
	}
	return nil
}

func write(path string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Sync(), f.Close())
}

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
	for name, content := range map[string][]byte{fileModelSig: f.OMS, filePassport: statement, fileBundle: bundle, fileBlobSig: blobSig,
		fileBOM: f.BOM, fileLogVKey: []byte(doc.Ledger.VKey + "\n"), fileSignerPEM: public} {
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
