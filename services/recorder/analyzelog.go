package recorder

import (
	"errors"
	"io"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/recorder/analyze"
	"github.com/provenir/provenir/services/recorder/incident"
	"github.com/provenir/provenir/services/recorder/monitor"
)

// AnalyzeLog judges the log of any engine. Nothing is stored: the rows are the caller's.
func (s *Service) AnalyzeLog(stream recorderv1.RecorderService_AnalyzeLogServer) error {
	m, err := stream.Recv()
	if err != nil {
		return err
	}
	h := m.GetHeader()
	if h == nil {
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "the first frame of a log is its header").
			Field("header", "send it before the rows; it may be empty")
	}
	session, err := analyze.New(analyze.OptionsOf(h))
	if err != nil {
		return problem(err)
	}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if m.GetRows() == nil {
			return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "behind the header come rows").Field("rows", "missing")
		}
		for _, r := range m.GetRows().GetRows() {
			found, err := session.Row(r.GetLine(), r.GetJson())
			if err != nil {
				return problem(err)
			}
			if err := tell(stream, &found); err != nil {
				return err
			}
		}
	}
	found, err := session.Flush()
	if err != nil {
		return problem(err)
	}
	if err := tell(stream, &found); err != nil {
		return err
	}
	return stream.Send(&recorderv1.AnalyzeLogResponse{Frame: &recorderv1.AnalyzeLogResponse_Verdict{Verdict: session.Verdict().Proto()}})
}

// tell sends what a row brought: incidents that open or escalate, and problems. How an incident ends is in the verdict.
func tell(stream recorderv1.RecorderService_AnalyzeLogServer, f *analyze.Findings) error {
	for _, p := range f.Problems {
		frame := &recorderv1.RowProblem{Line: p.Line, Code: p.Code, Key: p.Key, Detail: p.Detail}
		if err := stream.Send(&recorderv1.AnalyzeLogResponse{Frame: &recorderv1.AnalyzeLogResponse_Problem{Problem: frame}}); err != nil {
			return err
		}
	}
	for _, e := range f.Events {
		if e.What != incident.Open && e.What != incident.Escalate {
			continue
		}
		frame := &recorderv1.AnalyzeLogResponse_Anomaly{Anomaly: monitor.Anomaly("", e)}
		if err := stream.Send(&recorderv1.AnalyzeLogResponse{Frame: frame}); err != nil {
			return err
		}
	}
	return nil
}
