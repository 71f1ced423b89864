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

// VerifyRun checks the folder of a run: each log that is there, against the seal's checkpoint where the run is sealed. A log
// that is missing is damage where a checkpoint speaks of its records, and not reported elsewhere: a run without findings has
// none. opt.Origin is not used; opt.Known belongs to events.
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
		return everythingGone(folder, log, opt.Known), nil
	}
	if err != nil {
		return nil, fmt.Errorf("verify log %s: %w", log, err)
	}
	return r, nil
}

// everythingGone is the report of a log of which only checkpoints are left; nil for one that never had a record.
func everythingGone(folder fs.FS, log Log, known []byte) *Report {
	newest, err := fs.ReadFile(folder, CheckpointFile)
	if err != nil {
		newest = nil
	}
	r := &Report{Log: log, Signature: SignatureUnchecked}
	for _, signed := range [][]byte{newest, known} {
		c, err := ReadCheckpoint(signed)
		if got, kind := originLog(c.Origin); err != nil || !kind || got != log || c.Size == 0 {
			continue
		}
		r.Origin = c.Origin
		r.add(Damage{Kind: MissingSegment, File: SegmentName(0), LastSeq: c.Size - 1, Detail: fmt.Sprintf("a checkpoint covers %d records and there is no segment", c.Size)})
		return r
	}
	return nil
}

func originLog(origin string) (Log, bool) {
	_, _, log, err := ParseOrigin(origin)
	return log, err == nil
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
