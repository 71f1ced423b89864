package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
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
	reports := make([]*Report, len(Logs))
	opt.Retentions = []RetentionNote{}
	for _, i := range verifyOrder {
		r, err := verifyLog(ctx, run, Logs[i], seal, i, opt)
		if err != nil {
			return nil, err
		}
		if reports[i] = r; r != nil && r.Log == Findings {
			opt.Retentions = append(opt.Retentions, r.Retentions...)
		}
	}
	reports = slices.DeleteFunc(reports, func(r *Report) bool { return r == nil })
	if len(reports) == 0 {
		return nil, ErrNoLog
	}
	return reports, nil
}

// verifyOrder are places in [Logs]: findings first, since it says which payloads of events are gone for good reason.
var verifyOrder = [...]int{1, 0, 2}

// verifyLog checks one log of a run; nil for one that is not there.
func verifyLog(ctx context.Context, run fs.FS, log Log, seal [][]byte, at int, opt VerifyOptions) (*Report, error) {
	folder, err := fs.Sub(run, log.String())
	if err != nil {
		return nil, fmt.Errorf("open log %s: %w", log, err)
	}
	opt.Origin = ""
	if log != Events || opt.Known == nil {
		opt.Known = nil
		if seal != nil {
			opt.Known = seal[at]
		}
	}
	r, err := Verify(ctx, folder, opt)
	if errors.Is(err, ErrNoLog) || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("verify log %s: %w", log, err)
	}
	return r, nil
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
