package recorder

import (
	"context"
	"errors"
	"math"

	"google.golang.org/protobuf/types/known/structpb"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/services/recorder/slice"
)

// AnalyzeSlices finds parts of the data that fail more or less often than the rest. Nothing is stored.
func (s *Service) AnalyzeSlices(_ context.Context, req *recorderv1.AnalyzeSlicesRequest) (*recorderv1.AnalyzeSlicesResponse, error) {
	set := slice.Settings{MinSupport: uint64(req.GetMinSupport()), FDR: req.GetFdr()}
	if set.MinSupport == 0 {
		set.MinSupport = slice.MinSupport
	}
	if req.Fdr == nil {
		set.FDR = slice.FDR
	}
	if !(set.FDR > 0 && set.FDR < 1) {
		return nil, refused("fdr", "want a share between 0 and 1")
	}
	rows := make([]slice.Row, len(req.GetRows()))
	for i, r := range req.GetRows() {
		rows[i] = slice.Row{Values: r.GetSlices(), Passed: r.Passed, Length: r.Length}
	}
	rates, err := slice.Analyze(rows, set)
	var many *slice.TooMany
	if errors.As(err, &many) {
		return nil, refused("rows", many.Error())
	}
	if err != nil {
		return nil, err
	}
	settings, err := structpb.NewStruct(map[string]any{"min_support": float64(set.MinSupport), "fdr": set.FDR, "level": 0.95, "interval": "wilson",
		"test": "fisher exact, two-sided, against all other scored rows", "multiplicity": "benjamini-hochberg"})
	if err != nil {
		return nil, err
	}
	out := &recorderv1.AnalyzeSlicesResponse{Settings: settings}
	for i := range rates {
		out.Slices = append(out.Slices, sliceProto(&rates[i]))
	}
	return out, nil
}

func sliceProto(r *slice.Rate) *recorderv1.SliceRate {
	out := &recorderv1.SliceRate{Slice: r.Name, Failures: r.Failures, Support: r.Support, Unscored: r.Unscored, Significant: r.Significant, Thin: r.Thin}
	if r.Support > 0 {
		share := r.Share()
		out.Rate, out.RateLow, out.RateHigh = &share, &r.Low, &r.High
	}
	if !math.IsNaN(r.P) {
		out.P = &r.P
	}
	return out
}
