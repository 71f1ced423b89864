package governance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	"github.com/provenir/provenir/services/governance/seal"
)

// RecordEvidence files a result of another service; the same result again is one entry.
func (s *Service) RecordEvidence(ctx context.Context, req *governancev1.RecordEvidenceRequest) (*governancev1.RecordEvidenceResponse, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(req.GetEvidence())
	if err != nil {
		return nil, err
	}
	h := sha256.Sum256(b)
	digest := "sha256:" + hex.EncodeToString(h[:])
	_, err = s.d.DB.Exec(ctx, `INSERT INTO evidence (run, digest, body) VALUES (?, ?, ?) ON CONFLICT (run, digest) DO NOTHING`, req.GetRunId(), digest, b)
	return &governancev1.RecordEvidenceResponse{Digest: digest}, err
}

// ListEvidence lists a run's in the order filed.
func (s *Service) ListEvidence(ctx context.Context, req *governancev1.ListEvidenceRequest) (*governancev1.ListEvidenceResponse, error) {
	rows, err := s.d.DB.Query(ctx, `SELECT body FROM evidence WHERE run = ? ORDER BY n`, req.GetRunId())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := &governancev1.ListEvidenceResponse{}
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return nil, err
		}
		e := &governancev1.Evidence{}
		if err := proto.Unmarshal(b, e); err != nil {
			return nil, err
		}
		out.Evidence = append(out.Evidence, e)
	}
	return out, rows.Err()
}

func (s *Service) evidenceEntries(ctx context.Context, run string) ([]seal.EvidenceEntry, error) {
	list, err := s.ListEvidence(ctx, &governancev1.ListEvidenceRequest{RunId: run})
	if err != nil {
		return nil, err
	}
	var out []seal.EvidenceEntry
	for _, e := range list.GetEvidence() {
		out = append(out, seal.EvidenceEntry{Kind: e.GetKind(), Subjects: e.GetSubjects(), Result: e.GetResult(), Tool: e.GetTool() + " " + e.GetToolVersion(),
			State: strings.ToLower(strings.TrimPrefix(e.GetState().String(), "CHECK_STATE_")), ObservedAt: e.GetObservedAt().AsTime().UTC().Format(time.RFC3339), Detail: e.GetDetail()})
	}
	return out, nil
}
