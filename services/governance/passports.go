package governance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/internal/rpc"
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
	names := []string{fileModelSig, filePassport, fileBundle, fileBlobSig, fileBOM, fileLogVKey, fileSignerPEM}
	if idgen.Tracked(p.GetRunId()) { // nobody here has signed a model of it
		names = names[1:]
	}
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(s.cfg.Dir, p.GetRunId(), name)) // the data folder may have moved since
		if err != nil {
			return nil, fmt.Errorf("passport of run %s: %w", p.GetRunId(), err)
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
