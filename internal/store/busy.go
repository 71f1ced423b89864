package store

import (
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// named gives SQLite's "busy" the reason that callers retry by: another process held the write lock for all of
// busy_timeout. Left bare it would reach them as INTERNAL, which reads as a bug and is not retried.
func named(err error) error {
	var s *sqlite.Error
	if !errors.As(err, &s) || s.Code()&0xff != sqlite3.SQLITE_BUSY { // the bits above are which kind of busy
		return err
	}
	return rpc.Errorf(codes.Unavailable, corev1.ErrorReason_ERROR_REASON_OVERLOADED,
		"another process holds the write lock of this role's database; retry: %w", err).RetryAfter(durationpb.New(time.Second))
}
