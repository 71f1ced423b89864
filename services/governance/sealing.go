package governance

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/anypb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/internal/rpc"
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
	leave, err := s.busy.enter(ctx, req.GetRunId())
	if err != nil {
		return nil, err
	}
	defer leave()
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

// inputsDigest is what a run is sealed with. A cosignature that came between two tries changes no input.
func inputsDigest(req *governancev1.SealBomRequest) string {
	h := sha256.New()
	for _, part := range [][]byte{req.GetCheckpoint(), seal.WithoutCosignatures(req.GetDocument())} {
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

func (s *Service) seal(ctx context.Context, req *governancev1.SealBomRequest, inputs string) (*governancev1.SealedBom, error) {
	doc, err := seal.ReadDocument(req.GetDocument())
	if err != nil {
		return nil, documentProblem(err)
	}
	if err := checkKind(req, doc); err != nil {
		return nil, err
	}
	if !doc.Ended() {
		return nil, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FINISHED, "the run is %q; only a run that has ended is sealed", doc.State())
	}
	if doc.State() != "succeeded" && !req.GetAllowPartial() {
		return nil, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FINISHED, "the run ended as %s; allow_partial seals it all the same", doc.State())
	}
	caller, _ := identity.FromContext(ctx) // the chain lets nobody through without one
	if err := seal.CheckLedger(doc, caller.Tenant, req.GetRunId()); err != nil {
		return nil, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_LEDGER_INCONSISTENT, "%w", err)
	}
	signer, key, err := s.keys.Signer(ctx, req.GetKeyId(), s.d.Clock.Now())
	if err != nil {
		return nil, keyProblem(err)
	}
	tmp, err := os.MkdirTemp(s.cfg.Dir, leftovers)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp) // what is left of it when something fails
	evidence, err := s.evidenceEntries(ctx, req.GetRunId())
	if err != nil {
		return nil, err
	}
	f := seal.Facts{RunID: req.GetRunId(), KeyID: key.ID, SignedAt: s.d.Clock.Now(), Evidence: evidence, Flags: seal.Flags(doc, evidence)}
	var model *seal.Model
	if !doc.Tracked() {
		if model, err = s.signModel(ctx, req, doc, filepath.Join(tmp, modelFolder), signer, &f); err != nil {
			return nil, err
		}
	}
	if f.BOM, err = seal.Make(model, req.GetDocument(), evidence, f.Flags); err != nil {
		return nil, documentProblem(err)
	}
	statement, err := seal.Statement(doc, f)
	if err != nil {
		return nil, err
	}
	return s.publish(ctx, tmp, inputs, doc, f, statement, signer)
}

// signModel puts the run's model into dir and signs it.
func (s *Service) signModel(ctx context.Context, req *governancev1.SealBomRequest, doc seal.Document, dir string, signer passport.Signer, f *seal.Facts) (*seal.Model, error) {
	if err := s.model(ctx, req.GetCheckpoint(), dir); err != nil {
		return nil, err
	}
	var err error
	if f.Files, err = passport.Files(os.DirFS(dir)); err != nil {
		return nil, filesProblem(err)
	}
	f.ModelID = modelID(doc, req.GetRunId())
	f.OMS, err = oms.Sign(signer, f.ModelID, f.Files)
	return seal.ModelOf(f.ModelID, req.GetCheckpoint(), f.Files), err
}

// checkKind wants a checkpoint of every run but a tracked one, and takes a tracked run's passport for no other run: by its
// uid, nobody but a tracker has written it.
func checkKind(req *governancev1.SealBomRequest, doc seal.Document) error {
	refuse := func(field, why string) error {
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%s: %s", field, why).Field(field, why)
	}
	switch {
	case doc.Tracked() != idgen.Tracked(req.GetRunId()):
		return refuse("document", "run.recordedBy and the run's uid say different things of who recorded it")
	case doc.Tracked() && len(req.GetCheckpoint()) > 0:
		return refuse("checkpoint", "nobody here has seen a tracked run's model")
	case !doc.Tracked() && len(req.GetCheckpoint()) == 0:
		return refuse("checkpoint", "it is missing")
	}
	return nil
}

// documentProblem: the document comes from the caller, so what is wrong with it is the caller's to mend.
func documentProblem(err error) error {
	reason := corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT
	if errors.Is(err, passport.ErrDuplicateKey) {
		reason = corev1.ErrorReason_ERROR_REASON_JSON_DUPLICATE_KEY
	}
	return rpc.Errorf(codes.InvalidArgument, reason, "document: %w", err).Field("document", err.Error())
}

func filesProblem(err error) error {
	if errors.Is(err, passport.ErrModelEmpty) {
		return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_MODEL_EMPTY, "the checkpoint has no files to sign")
	}
	return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_CHECKPOINT_CORRUPT, "the checkpoint's files: %w", err)
}

func modelID(d seal.Document, run string) string {
	if d.Run.Name != "" {
		return d.Run.Name
	}
	return "run-" + run
}
