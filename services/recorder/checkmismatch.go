package recorder

import (
	"errors"
	"io"
	"math"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/recorder/mismatch"
)

// maxMismatchRows bounds a stream: of each row 32 bytes are kept until its end, for the quantiles.
const maxMismatchRows = 2_000_000

// CheckMismatch compares the log-probabilities of the same tokens under two engines. Every message of rows is answered by
// one message of results, in input order; the summary comes when the caller has closed its side. Nothing is stored.
func (s *Service) CheckMismatch(stream recorderv1.RecorderService_CheckMismatchServer) error {
	c := comparing{first: true}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.Send(&recorderv1.CheckMismatchResponse{Summary: c.summary()})
		}
		if err != nil {
			return err
		}
		if err := c.open(m); err != nil {
			return err
		}
		out := &recorderv1.CheckMismatchResponse{}
		for _, r := range m.GetRows() {
			out.Results = append(out.Results, c.row(r))
		}
		if err := stream.Send(out); err != nil {
			return err
		}
	}
}

// comparing is one call.
type comparing struct {
	pool   mismatch.Pool
	first  bool
	errors uint64
}

func (c *comparing) open(m *recorderv1.CheckMismatchRequest) error {
	refuse := func(field, text string) error {
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%s", text).Field(field, text)
	}
	switch {
	case m.Threshold != nil && !c.first:
		return refuse("threshold", "the threshold belongs into the first message: rows were judged without it")
	case m.Threshold != nil && !(m.GetThreshold() > 0 && !math.IsInf(m.GetThreshold(), 0)):
		return refuse("threshold", "the threshold must be above 0 and finite")
	case len(m.GetRows()) == 0 && m.Threshold == nil:
		return refuse("rows", "a message without rows; close the stream to end it")
	case c.pool.Len()+len(m.GetRows()) > maxMismatchRows:
		return refuse("rows", "more than 2,000,000 rows in a call; split the file")
	}
	if c.first {
		c.pool.Threshold, c.first = m.GetThreshold(), false
	}
	return nil
}

func (c *comparing) row(r *recorderv1.MismatchRow) *recorderv1.MismatchResult {
	row := mismatch.Row{Train: r.GetTrainLogProbs(), Rollout: r.GetInferenceLogProbs(), Mask: r.GetMask(), Probe: r.GetSampled() == "probe"}
	out := &recorderv1.MismatchResult{Id: r.GetId()}
	stats, err := mismatch.Measure(row)
	if err != nil {
		c.errors++
		c.pool.Refuse(stats)
		out.Error = err.Error()
		if stats.NonFinite > 0 {
			out.Stats = statsProto(&stats)
		}
		return out
	}
	out.Reasons = c.pool.Add(row, stats)
	out.Mismatched, out.Stats = len(out.Reasons) > 0, statsProto(&stats)
	return out
}

// statsProto leaves out what is not defined, and names what no float can hold.
func statsProto(s *mismatch.Stats) *recorderv1.MismatchStats {
	out := &recorderv1.MismatchStats{Tokens: uint64(s.Tokens), NonFinite: uint64(s.NonFinite), Pearson: s.Pearson}
	if s.Tokens == 0 {
		return out
	}
	for _, x := range []struct {
		name string
		v    float64
		to   **float64
	}{
		{"k1", s.K1, &out.K1},
		{"k3", s.K3, &out.K3},
		{"mean_abs", s.MeanAbs, &out.MeanAbs},
		{"max_abs", s.MaxAbs, &out.MaxAbs},
		{"mult_prob_error", s.Mult, &out.MultProbError},
		{"is_mean", s.ISMean, &out.IsMean},
		{"is_max", s.ISMax, &out.IsMax},
		{"is_std", s.ISStd, &out.IsStd},
		{"ess", s.ESS, &out.Ess},
		{"chi2_token", s.ChiToken, &out.Chi2Token},
		{"chi2_seq", s.ChiSeq, &out.Chi2Seq},
	} {
		if math.IsNaN(x.v) || math.IsInf(x.v, 0) {
			out.Overflow = append(out.Overflow, x.name)
			continue
		}
		*x.to = &x.v
	}
	return out
}

func (c *comparing) summary() *recorderv1.MismatchSummary {
	out := &recorderv1.MismatchSummary{Errors: c.errors, RateHigh: 1}
	r, ok := c.pool.Report()
	if !ok {
		out.Pooled = &recorderv1.MismatchStats{NonFinite: uint64(c.pool.NonFinite())}
		return out
	}
	out.Rows, out.Mismatched, out.RateLow, out.RateHigh = uint64(r.Rows), uint64(r.Mismatched), r.Low, r.High
	out.Rate, out.Pooled = float64(r.Mismatched)/float64(r.Rows), statsProto(&r.Pooled)
	out.Estimates = "kl"
	if r.Probes > 0 {
		out.Estimates = "divergence"
	}
	out.Quantiles = map[string]*recorderv1.Quantiles{}
	for name, q := range r.Quantiles {
		out.Quantiles[name] = &recorderv1.Quantiles{P50: q.P50, P90: q.P90, P99: q.P99, Max: q.Max}
	}
	return out
}
