package recorder

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/ledger"
)

// VerifyRun reads a run's logs from disk and checks every hash.
func (s *Service) VerifyRun(ctx context.Context, req *recorderv1.VerifyRunRequest) (*recorderv1.VerifyRunResponse, error) {
	l, err := s.get(ctx, tenant(ctx), req.GetRun(), false)
	if err != nil {
		return nil, problem(err)
	}
	l.upkeep.RLock()
	defer l.upkeep.RUnlock()
	resp := &recorderv1.VerifyRunResponse{}
	for _, kind := range ledger.Logs {
		log := l.log(kind)
		report, err := log.Verify(ctx, s.verifiers)
		if errors.Is(err, ledger.ErrNoLog) {
			if c, note := log.Checkpoint(); note != nil && c.Size > 0 { // every segment is gone
				resp.Damages = append(resp.Damages, &recorderv1.Damage{Log: recorderv1.Log(kind), Kind: string(ledger.MissingSegment),
					Detail: "a checkpoint covers records and there is no segment"})
			}
			continue
		}
		if err != nil {
			return nil, problem(err)
		}
		resp.Records += report.Records
		resp.Unchecked = append(resp.Unchecked, unchecked(kind, report)...)
		for _, r := range report.Retired {
			if r.Declared {
				resp.Retired = append(resp.Retired, &recorderv1.RetiredRange{FirstSeq: r.FirstSeq, LastSeq: r.LastSeq, Rule: r.Rule, By: r.By, At: timestamppb.New(r.At)})
			}
		}
		for _, d := range report.Damages {
			resp.Damages = append(resp.Damages, damage(kind, d))
		}
		if _, note := log.Checkpoint(); note != nil {
			c, err := checkpoint(log)
			if err != nil {
				return nil, problem(err)
			}
			resp.Checkpoints = append(resp.Checkpoints, c)
		}
	}
	return resp, nil
}

// unchecked says in words what a report leaves open.
func unchecked(kind ledger.Log, r *ledger.Report) (out []string) {
	if n := len(r.Away); n > 0 {
		out = append(out, fmt.Sprintf("%s: %d segments were moved away, and no store of copies is configured", kind, n))
	}
	if r.BlobsUnchecked > 0 {
		out = append(out, fmt.Sprintf("%s: %d payloads lie in the blob store and could not be read", kind, r.BlobsUnchecked))
	}
	if r.EncryptedUnchecked > 0 {
		out = append(out, fmt.Sprintf("%s: the payloads of %d records are encrypted under keys that are erased or not here; their entries hold", kind, r.EncryptedUnchecked))
	}
	return out
}

func damage(kind ledger.Log, d ledger.Damage) *recorderv1.Damage {
	out := &recorderv1.Damage{Log: recorderv1.Log(kind), Kind: string(d.Kind), Detail: d.String(), FirstSeq: &d.FirstSeq, LastSeq: &d.LastSeq}
	if d.Segment >= 0 {
		segment, offset := uint64(d.Segment), uint64(d.Offset)
		out.Segment, out.Offset = &segment, &offset
	}
	return out
}
