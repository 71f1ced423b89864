package mesh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"time"

	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/config"
	"github.com/provenir/provenir/services/recorder"
	"github.com/provenir/provenir/services/recorder/ship"
)

// shipping opens the store of copies that recorder.ship.* names. Nobody is called: a store that is away keeps no recorder
// from starting.
func (b *builder) shipping(d *recorder.Deps) (ship.Config, error) {
	cfg, err := shipConfig(b.cfg.Settings)
	if err != nil || !cfg.Enabled() {
		return cfg, err
	}
	bucket, err := ship.Dial(cfg, b.clock)
	if err != nil {
		return cfg, err
	}
	d.Copies = bucket
	b.blobs.ReadThrough(func(ctx context.Context, digest blob.Digest) (io.ReadCloser, error) {
		r, err := ship.OpenBlob(ctx, bucket, digest)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, blob.ErrMissing
		}
		return r, err
	})
	b.closers = append(b.closers, func() error { bucket.Close(); return nil })
	return cfg, nil
}

func shipConfig(s config.Settings) (ship.Config, error) {
	cfg := ship.Config{Endpoint: s.Get("recorder.ship.endpoint"), Region: s.Get("recorder.ship.region"), Bucket: s.Get("recorder.ship.bucket"),
		CredentialsFile: s.Get("recorder.ship.credentials_file"), Lock: s.Get("recorder.ship.lock")}
	var err error
	if cfg.LockDays, err = strconv.Atoi(s.Get("recorder.ship.lock_days")); err != nil {
		return cfg, fmt.Errorf("recorder.ship.lock_days is %q; want a number of days", s.Get("recorder.ship.lock_days"))
	}
	if cfg.TailEvery, err = time.ParseDuration(s.Get("recorder.ship.tail_every")); err != nil {
		return cfg, fmt.Errorf("recorder.ship.tail_every is %q; want a time as 5m, or 0 for ended runs only", s.Get("recorder.ship.tail_every"))
	}
	if text := s.Get("recorder.ship.keep_local"); text != "" {
		keep, err := time.ParseDuration(text)
		if err != nil {
			return cfg, fmt.Errorf("recorder.ship.keep_local is %q; want a time as 720h, or nothing for ever", text)
		}
		cfg.KeepLocal = &keep
	}
	return cfg, cfg.Check()
}
