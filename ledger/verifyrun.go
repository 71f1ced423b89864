package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// SealFile lies beside a sealed run's logs and holds their checkpoints of that moment, in the order of [Logs].
const SealFile = "seal"

// VerifyRun checks the folder of a run: each log that is there, against the seal's checkpoint where the run is sealed. A
// missing log is not reported: a run without findings has none. opt.Origin is not used; opt.Known belongs to events.
func VerifyRun(ctx context.Context, run fs.FS, opt VerifyOptions) ([]*Report, error) {
	seal, err := readSeal(run)
	if err != nil {
		return nil, err
	}
	var reports []*Report
	for i, log := range Logs {
		folder, err := fs.Sub(run, log.String())
		if err != nil {
			return nil, fmt.Errorf("open log %s: %w", log, err)
		}
		o := opt
		o.Origin = ""
		if log != Events || o.Known == nil {
			o.Known = nil
			if seal != nil {
				o.Known = seal[i]
			}
		}
		r, err := Verify(ctx, folder, o)
		if errors.Is(err, ErrNoLog) || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("verify log %s: %w", log, err)
		}
		reports = append(reports, r)
	}
	if len(reports) == 0 {
		return nil, ErrNoLog
	}
	return reports, nil
}

// readSeal gives the seal's notes, nil for a run that is not sealed.
func readSeal(run fs.FS) ([][]byte, error) {
	b, err := fs.ReadFile(run, SealFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the seal: %w", err)
	}
	notes, h := make([][]byte, len(Logs)), NewHistoryReader(bytes.NewReader(b))
	for i := range notes {
		if notes[i], err = h.Next(); err != nil {
			return nil, fmt.Errorf("%w: the seal is damaged: %w", ErrCheckpoint, err)
		}
	}
	return notes, nil
}
