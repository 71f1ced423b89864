package verifier

import (
	"context"
	"errors"
	"fmt"
	"mime"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/strictjson"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// maxLarge bounds the large parts of one candidate together: they are held in memory while it is judged.
const maxLarge = 64 << 20

// candidate reads a request's candidate: the rollout where there is one, else response and row. bad says what is wrong
// with it; the error is for what is wrong here.
func (s *Service) candidate(ctx context.Context, m *verifierv1.Candidate) (c verdict.Candidate, bad string, err error) {
	if len(m.GetRollout()) > 0 {
		c, bad, err = s.rollout(ctx, m.GetRollout())
		if c.ID == "" {
			c.ID = m.GetRolloutId()
		}
	} else {
		c = verdict.Candidate{ID: m.GetRolloutId(), Response: string(m.GetResponse())}
		if len(m.GetRowJson()) > 0 {
			c.Row, err = readRow(m.GetRowJson(), 4<<20)
			if err != nil {
				return c, "the row is not a JSON object: " + err.Error(), nil
			}
		}
	}
	if bad != "" || err != nil {
		return c, bad, err
	}
	bad, err = s.fetch(ctx, &c, m.GetBlobs())
	return c, bad, err
}

// rollout reads a core.v1.Rollout with its large parts.
func (s *Service) rollout(ctx context.Context, b []byte) (c verdict.Candidate, bad string, err error) {
	c, large, err := readRollout(b)
	if err != nil {
		return c, err.Error(), nil
	}
	c.Rollout = b
	bad, err = s.fetch(ctx, &c, large)
	return c, bad, err
}

func readRow(b []byte, limit int) (verdict.Row, error) {
	row, err := strictjson.Object(b, strictjson.Limits{Bytes: limit})
	if err != nil {
		return nil, err
	}
	out := make(verdict.Row, len(row))
	for i, f := range row {
		out[i] = verdict.Field{Key: f.Key, JSON: f.Value}
	}
	return out, nil
}

// fetch adds large parts: application/json is an object whose keys are more columns of the row, everything else is more
// of the response, in order. A part that cannot be had makes the candidate bad: judging what is left would be a verdict
// on something else.
func (s *Service) fetch(ctx context.Context, c *verdict.Candidate, parts []*corev1.BlobRef) (bad string, err error) {
	left := int64(maxLarge)
	for i, ref := range parts {
		if s.blobs == nil {
			return "large parts come by digest, and this verifier has no blob store", nil
		}
		d, err := blob.ParseDigest(ref.GetDigest())
		if err != nil {
			return fmt.Sprintf("blobs[%d]: %v", i, err), nil
		}
		size, err := s.blobs.Stat(ctx, d)
		switch {
		case errors.Is(err, blob.ErrMissing):
			return fmt.Sprintf("blobs[%d]: %s is not in the blob store; put it there first", i, d), nil
		case err != nil:
			return "", err
		case uint64(size) != ref.GetSizeBytes():
			return fmt.Sprintf("blobs[%d]: %s has %d bytes, not %d", i, d, size, ref.GetSizeBytes()), nil
		}
		if left -= size; left < 0 {
			return fmt.Sprintf("the large parts have more than %d bytes together", int64(maxLarge)), nil
		}
		b, err := s.blobs.Read(ctx, d, size)
		if err != nil {
			return "", fmt.Errorf("large part %d of rollout %s: %w", i, c.ID, err)
		}
		if kind, _, err := mime.ParseMediaType(ref.GetMediaType()); err != nil || kind != "application/json" {
			c.Response += string(b)
			continue
		}
		row, err := readRow(b, len(b))
		if err != nil {
			return fmt.Sprintf("blobs[%d]: not a JSON object: %v", i, err), nil
		}
		for _, f := range row {
			if _, twice := c.Row.Get(f.Key); twice {
				return fmt.Sprintf("blobs[%d]: the row has a column %q already", i, f.Key), nil
			}
			c.Row = append(c.Row, f)
		}
	}
	return "", nil
}
