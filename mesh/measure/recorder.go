package measure

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"

	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/cursor"
	"github.com/provenir/provenir/internal/outbox"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/recorder"
	"github.com/provenir/provenir/services/recorder/disk"
)

// openRecorder is the recorder as the mesh has it; publish is nil without a bus.
func openRecorder(ctx context.Context, dir string, publish outbox.Publish) (*recorder.Service, func() error, error) {
	db, err := store.Open(ctx, filepath.Join(dir, "recorder.db"), recorder.Migrations())
	if err != nil {
		return nil, nil, err
	}
	signer, vkey, err := recorder.LoadKey(filepath.Join(dir, "keys"), "provenir.dev/recorder")
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	files, err := disk.OpenDir(filepath.Join(dir, "ledger"))
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	blobs, err := blob.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	s, err := recorder.New(recorder.Config{}, recorder.Deps{Disk: files, DB: db, Signer: signer, VKey: vkey, Blobs: blobs,
		Tokens: cursor.NewSigner([]byte("bench")), Publish: publish, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	for s.Health(ctx) != nil {
		select {
		case err := <-done:
			cancel()
			return nil, nil, errors.Join(err, db.Close())
		default:
		}
	}
	return s, func() error {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			return errors.Join(err, db.Close())
		}
		return db.Close()
	}, nil
}
