package verifier

import (
	"errors"
	"fmt"
	"syscall"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/verifier/catalog"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// finish makes the message of a verdict, with its evidence stored, and counts it. rollout is the digest of the rollout's
// bytes; nil where there are none.
func (s *Service) finish(v *verdict.Verdict, c *verdict.Candidate, by *catalog.Compiled, rollout []byte) (*corev1.Verdict, error) {
	return s.finishAs(by.Name, v, c, s.digestOf(by, v), rollout)
}

// digestOf is the digest of the verifier that gave a verdict: the one that was registered, or what it has become.
func (s *Service) digestOf(by *catalog.Compiled, v *verdict.Verdict) []byte {
	if v.Has(catalog.VerifierChanged) {
		if d, changed, err := by.Renew(s.compiled.env); err == nil && changed {
			return d[:]
		}
	}
	return by.Digest[:]
}

// finishAs is finish for a verdict of what is no compiled spec, as of an environment.
func (s *Service) finishAs(name string, v *verdict.Verdict, c *verdict.Candidate, digest, rollout []byte) (*corev1.Verdict, error) {
	m := encode(v, c.ID, digest, rollout)
	s.counts.verdict(name, m)
	if s.evidence == nil {
		return m, nil
	}
	var err error
	m.EvidenceDigest, err = s.store(verdict.Evidence(v, c, digest, rollout), "evidence", c.ID)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// store keeps a document of a verdict's and gives its digest.
func (s *Service) store(b []byte, what, rollout string) ([]byte, error) {
	d, err := s.evidence.Put(b)
	if errors.Is(err, syscall.ENOSPC) {
		return nil, rpc.Errorf(codes.ResourceExhausted, corev1.ErrorReason_ERROR_REASON_LEDGER_DISK_FULL,
			"the disk is full: the %s of rollout %s cannot be stored; free space, then go on: %w", what, rollout, err)
	}
	if err != nil {
		return nil, fmt.Errorf("store the %s of rollout %s: %w", what, rollout, err)
	}
	return d[:], nil
}
