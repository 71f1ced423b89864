package governance

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/passport"
)

const columns = `digest, run, model, key_id, folder, created`

func scan(into func(...any) error) (*governancev1.Passport, error) {
	p := &governancev1.Passport{}
	var created int64
	err := into(&p.Digest, &p.RunId, &p.ModelName, &p.KeyId, &p.Folder, &created)
	p.CreateTime = timestamppb.New(time.UnixMilli(created))
	return p, err
}

// GetPassport reads one by digest or run, with the files for an outside party (without the model's).
func (s *Service) GetPassport(ctx context.Context, req *governancev1.GetPassportRequest) (*governancev1.GetPassportResponse, error) {
	p, err := scan(s.d.DB.QueryRow(ctx, `SELECT `+columns+` FROM passports WHERE digest = ? OR run = ?`, req.GetPassport(), req.GetPassport()).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_PASSPORT_NOT_FOUND, "no passport %s", req.GetPassport())
	}
	if err != nil {
		return nil, err
	}
	out := &governancev1.GetPassportResponse{Passport: p}
	for _, name := range []string{fileModelSig, filePassport, fileBundle, fileBlobSig, fileBOM, fileLogVKey, fileSignerPEM} {
		b, err := os.ReadFile(filepath.Join(p.GetFolder(), name))
		if err != nil {
			return nil, err
		}
		out.Files = append(out.Files, &governancev1.PassportFile{Name: name, Content: b})
	}
	return out, nil
}

// ListPassports lists them, newest first.
func (s *Service) ListPassports(ctx context.Context, req *governancev1.ListPassportsRequest) (*governancev1.ListPassportsResponse, error) {
	size, from := int(req.GetPageSize()), 0
	if size == 0 {
		size = 100
	}
	if t := req.GetPageToken(); t != "" {
		var err error
		if from, err = strconv.Atoi(t); err != nil || from < 0 {
			return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_RESUME_TOKEN_FOREIGN, "page_token is not of this list")
		}
	}
	rows, err := s.d.DB.Query(ctx, `SELECT `+columns+` FROM passports WHERE ? = '' OR run = ? ORDER BY created DESC, run LIMIT ? OFFSET ?`,
		req.GetRunId(), req.GetRunId(), size+1, from)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := &governancev1.ListPassportsResponse{}
	for rows.Next() {
		p, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		out.Passports = append(out.Passports, p)
	}
	if len(out.GetPassports()) > size {
		out.Passports, out.NextPageToken = out.GetPassports()[:size], strconv.Itoa(from+size)
	}
	return out, rows.Err()
}

// VerifyPassport checks a bundle against keys. It takes content only: no path of the server is ever read for a caller.
func (s *Service) VerifyPassport(ctx context.Context, req *governancev1.VerifyPassportRequest) (*governancev1.VerifyPassportResponse, error) {
	in := passport.Input{Bundle: req.GetBundle()}
	pems := req.GetPublicKeys()
	if len(pems) == 0 {
		list, err := s.keys.List(ctx)
		if err != nil {
			return nil, err
		}
		for _, k := range list {
			if k.State != "revoked" {
				pems = append(pems, []byte(k.PublicPEM))
			}
		}
	}
	for _, p := range pems {
		k, err := passport.ParsePublicKey(p)
		if err != nil {
			return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "public_keys: %w", err)
		}
		in.Keys = append(in.Keys, k)
	}
	if c := req.GetCheckpoint(); c != "" {
		model, err := s.checkpointFiles(ctx, c)
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(model)
		in.Model = os.DirFS(model)
	}
	r := passport.Verify(in)
	out := &governancev1.VerifyPassportResponse{Overall: state(r.Overall), Statement: r.Payload}
	for _, c := range r.Checks {
		out.Checks = append(out.Checks, &governancev1.Check{Name: c.Name, State: state(c.State), Detail: c.Detail})
	}
	if r.Statement != nil {
		for _, f := range r.Statement.Predicate.RiskClaims {
			out.Flags = append(out.Flags, &governancev1.RiskFlag{Name: f.Name, State: risk(f.State), Evidence: f.Evidence})
		}
	}
	return out, nil
}

// checkpointFiles copies a checkpoint into a folder of its own.
func (s *Service) checkpointFiles(ctx context.Context, name string) (string, error) {
	digest, err := hexDigest(name)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "provenir-verify-")
	if err != nil {
		return "", err
	}
	if err := s.model(ctx, digest, dir); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
}

func state(s passport.State) governancev1.CheckState {
	switch s {
	case passport.Holds:
		return governancev1.CheckState_CHECK_STATE_HOLDS
	case passport.Fails:
		return governancev1.CheckState_CHECK_STATE_FAILS
	default:
		return governancev1.CheckState_CHECK_STATE_UNCHECKED
	}
}

func risk(s string) governancev1.RiskState {
	switch s {
	case "raised":
		return governancev1.RiskState_RISK_STATE_RAISED
	case "clear":
		return governancev1.RiskState_RISK_STATE_CLEAR
	default:
		return governancev1.RiskState_RISK_STATE_UNKNOWN
	}
}
