package governance

import (
	"context"
	"crypto/ecdsa"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/passport"
	"github.com/provenir/provenir/services/governance/keys"
)

// VerifyPassport checks a bundle against keys. It takes content only: no path of the server is ever read for a caller.
// The model is copied, and the BOM looked up, only for a bundle whose signature holds.
func (s *Service) VerifyPassport(ctx context.Context, req *governancev1.VerifyPassportRequest) (*governancev1.VerifyPassportResponse, error) {
	registry, err := s.keys.List(ctx)
	if err != nil {
		return nil, err
	}
	in := passport.Input{Bundle: req.GetBundle()}
	if in.Keys, err = trusted(req.GetPublicKeys(), registry); err != nil {
		return nil, err
	}
	r := passport.Verify(in)
	if r.Statement != nil {
		if in.BOM, err = s.bomOf(ctx, *r.Statement); err != nil {
			return nil, err
		}
		if c := req.GetCheckpoint(); c != "" {
			model, err := s.checkpointFiles(ctx, c)
			if err != nil {
				return nil, err
			}
			defer os.RemoveAll(model)
			in.Model = os.DirFS(model)
		}
		r = keyStatus(passport.Verify(in), registry)
	}
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

// trusted are the given keys, or else this mesh's: the revoked ones too, because what they signed is judged by keyStatus.
func trusted(pems [][]byte, registry []keys.Entry) ([]*ecdsa.PublicKey, error) {
	if len(pems) == 0 {
		for _, k := range registry {
			pems = append(pems, []byte(k.PublicPEM))
		}
	}
	var out []*ecdsa.PublicKey
	for i, p := range pems {
		k, err := passport.ParsePublicKey(p)
		if err != nil {
			return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "public_keys[%d]: %w", i, err)
		}
		out = append(out, k)
	}
	return out, nil
}

// keyStatus adds what the registry knows of the key. signedAt is the signer's own claim, and whoever stole a key writes
// any time they like: without proof that the log had the passport before the revocation, nothing is known of when it was
// signed. A key that was revoked as compromised never holds.
func keyStatus(r passport.Result, registry []keys.Entry) passport.Result {
	for _, e := range registry {
		if r.Statement == nil || e.ID != r.Statement.Predicate.Issuance.KeyID {
			continue
		}
		c := passport.Check{Name: "key_status", State: passport.Holds, Detail: e.State}
		if e.State == "revoked" {
			c.State, c.Detail = passport.Unchecked, "key_time_unproven: the key was revoked at "+e.Revoked.UTC().Format(time.RFC3339)+
				", and nothing proves that it signed before"
			if e.Reason == "compromised" {
				c.State, c.Detail = passport.Fails, "the key was revoked as compromised"
			}
		}
		r.Checks = append(r.Checks, c)
		if c.State == passport.Fails || c.State == passport.Unchecked && r.Overall == passport.Holds {
			r.Overall = c.State
		}
	}
	return r
}

// bomOf finds bom.json of a passport of this mesh; nil for another's, whose check then stays unchecked.
func (s *Service) bomOf(ctx context.Context, st passport.Statement) ([]byte, error) {
	var run string
	err := s.d.DB.QueryRow(ctx, `SELECT run FROM passports WHERE bom = ?`, "sha256:"+st.Predicate.BOM.Digest["sha256"]).Scan(&run)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(s.cfg.Dir, run, fileBOM))
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
