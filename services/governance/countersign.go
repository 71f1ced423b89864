package governance

import (
	"context"
	"database/sql"
	"errors"

	"golang.org/x/mod/sumdb/note"
	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/ledger"
)

// witnessed is the last checkpoint that was cosigned of each log, and the key that signs it.
var witnessed = store.Migration{Name: "witnessed", SQL: `CREATE TABLE witnessed (origin TEXT PRIMARY KEY, vkey TEXT NOT NULL,
	size INTEGER NOT NULL, root BLOB NOT NULL)`}

// seen is what governance knows of a log.
type seen struct {
	vkey string
	size uint64
	root ledger.Hash
}

// CountersignCheckpoint cosigns a checkpoint that continues the last one of its origin. The first one of an origin is
// taken as it is, and its key with it; from then on a log that was rewritten, rolled back or signed by another key finds
// no cosignature. What was seen is on disk before the signature is given: a crash between cannot let a fork through.
func (s *Service) CountersignCheckpoint(ctx context.Context, req *governancev1.CountersignCheckpointRequest) (*governancev1.CountersignCheckpointResponse, error) {
	c, err := openCheckpoint(ctx, req)
	if err != nil {
		return nil, err
	}
	proof := make([]ledger.Hash, len(req.GetConsistency()))
	for i, h := range req.GetConsistency() {
		if len(h) != len(proof[i]) {
			return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "consistency[%d] has %d bytes, want 32", i, len(h))
		}
		proof[i] = ledger.Hash(h)
	}
	var elsewhere *uint64
	err = s.d.DB.Within(ctx, func(tx store.Tx) error {
		last, known, err := lastSeen(ctx, tx, c.Origin)
		if err != nil {
			return err
		}
		if known && c.Size > last.size && last.size > 0 && req.GetOldSize() != last.size || !known && req.GetOldSize() != 0 {
			elsewhere = &last.size
			return nil
		}
		if known {
			if err := continues(c, req.GetVkey(), last, proof); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `INSERT INTO witnessed (origin, vkey, size, root) VALUES (?, ?, ?, ?)
			ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root`, c.Origin, req.GetVkey(), int64(c.Size), c.Root[:])
		return err
	})
	if err != nil {
		return nil, err
	}
	if elsewhere != nil {
		return &governancev1.CountersignCheckpointResponse{NeedOldSize: elsewhere}, nil
	}
	cosigned, err := s.cosigner.Cosign([]byte(req.GetNote()), s.d.Clock.Now())
	if err != nil {
		return nil, keyProblem(err)
	}
	return &governancev1.CountersignCheckpointResponse{Cosigned: string(cosigned)}, nil
}

// openCheckpoint verifies the log's own signature, and that the log is one of the caller's tenant.
func openCheckpoint(ctx context.Context, req *governancev1.CountersignCheckpointRequest) (ledger.Checkpoint, error) {
	v, err := note.NewVerifier(req.GetVkey())
	if err != nil {
		return ledger.Checkpoint{}, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "vkey: %w", err)
	}
	c, _, err := ledger.OpenCheckpoint([]byte(req.GetNote()), "", note.VerifierList(v))
	if err != nil {
		return c, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "note: %w", err)
	}
	caller, _ := identity.FromContext(ctx) // the chain lets nobody through without one
	if tenant, _, _, err := ledger.ParseOrigin(c.Origin); err != nil || tenant != caller.Tenant {
		return c, rpc.Errorf(codes.PermissionDenied, corev1.ErrorReason_ERROR_REASON_PERMISSION_DENIED, "%q is no log of tenant %s", c.Origin, caller.Tenant)
	}
	return c, nil
}

func lastSeen(ctx context.Context, tx store.Tx, origin string) (seen, bool, error) {
	var last seen
	var size int64
	var root []byte
	err := tx.QueryRow(ctx, `SELECT vkey, size, root FROM witnessed WHERE origin = ?`, origin).Scan(&last.vkey, &size, &root)
	if errors.Is(err, sql.ErrNoRows) {
		return last, false, nil
	}
	last.size = uint64(size)
	copy(last.root[:], root)
	return last, true, err
}

// continues refuses what is no continuation of the last checkpoint.
func continues(c ledger.Checkpoint, vkey string, last seen, proof []ledger.Hash) error {
	refuse := func(format string, args ...any) error {
		return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_LEDGER_INCONSISTENT, format, args...).With("origin", c.Origin)
	}
	switch {
	case vkey != last.vkey:
		return refuse("%s was signed by %s before and is by %s now", c.Origin, last.vkey, vkey)
	case c.Size < last.size:
		return refuse("%s had %d records and has %d now: it was rolled back", c.Origin, last.size, c.Size)
	case c.Size == last.size && c.Root != last.root:
		return refuse("%s has another root at %d records: it was forked", c.Origin, c.Size)
	case c.Size == last.size, last.size == 0: // the same again, or the first records
		return nil
	}
	if err := ledger.CheckConsistency(proof, c.Size, c.Root, last.size, last.root); err != nil {
		return refuse("%s with %d records is no continuation of the one with %d: %w", c.Origin, c.Size, last.size, err)
	}
	return nil
}
