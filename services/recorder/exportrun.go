package recorder

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/note"
	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/export"
	"github.com/provenir/provenir/services/recorder/roster"
	"github.com/provenir/provenir/services/recorder/store"
)

// exportChunk is a message's share of a file.
const exportChunk = 256 << 10

// ExportRun writes a run in a format of others. A file is whole or the call fails: damage in the log ends it with the
// damage's name, and what was sent until then is for the caller to drop.
func (s *Service) ExportRun(req *recorderv1.ExportRunRequest, stream recorderv1.RecorderService_ExportRunServer) error {
	format, err := export.Lookup(req.GetFormat())
	if err != nil {
		return exportProblem(err)
	}
	run, err := s.exported(stream.Context(), req.GetRun(), format.Name == "html")
	if err != nil {
		return problem(err)
	}
	if err := stream.Send(&recorderv1.ExportRunResponse{Filename: format.Filename(run.ID), MediaType: format.MediaType}); err != nil {
		return err
	}
	out := &chunks{send: func(b []byte) error { return stream.Send(&recorderv1.ExportRunResponse{Chunk: b}) }}
	if err := format.Write(out, run); err != nil {
		return problem(err)
	}
	return out.flush()
}

func exportProblem(err error) error {
	var unknown *export.UnknownError
	if errors.As(err, &unknown) {
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%w", err).Field("format", err.Error())
	}
	return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_EXPORTER_UNAVAILABLE, "%w", err)
}

// exported gathers what is small; the points are read from the log while they are written.
func (s *Service) exported(ctx context.Context, id string, charts bool) (*export.Run, error) {
	l, err := s.get(ctx, tenant(ctx), id, false)
	if err != nil {
		return nil, err
	}
	findings := l.log(ledger.Findings)
	if findings.Broken() == nil { // what was found and not yet written belongs in the file
		if err := findings.Flush(ctx); err != nil {
			return nil, err
		}
	}
	found, err := readFindings(ctx, l.run.ID, findings, store.Query{Types: []ledger.RecordType{ledger.Anomaly}})
	if err != nil {
		return nil, err
	}
	run := &export.Run{ID: l.run.ID, Summary: l.summary(), Points: l.points(ctx), Logs: s.signedLogs(l)}
	anomalies := make([]*recorderv1.Anomaly, len(found))
	for i := range found {
		anomalies[i] = found[i].Anomaly
	}
	run.Incidents = export.Fold(anomalies)
	if charts {
		got, err := s.QueryMetrics(ctx, &recorderv1.QueryMetricsRequest{Run: id, Names: export.ChartNames(), MaxPoints: export.ChartPoints})
		if err != nil {
			return nil, err
		}
		run.Charts = got.GetSeries()
		if idgen.Tracked(run.ID) {
			if run.Tracked, err = roster.Get(ctx, s.d.DB, l.tenant, run.ID); err != nil {
				return nil, err
			}
			s.enliven(l.tenant, run.Tracked)
		}
	}
	return run, nil
}

// signedLogs checks the newest checkpoint of each log with the recorder's own key. Countersigners' keys are not here, so
// their signatures are named and stay unchecked.
func (s *Service) signedLogs(l *live) []export.Log {
	var out []export.Log
	for _, kind := range ledger.Logs {
		c, text := l.log(kind).Checkpoint()
		if text == nil {
			continue
		}
		row := export.Log{Name: kind.String(), Size: c.Size, Root: hex.EncodeToString(c.Root[:]), Signature: "verified with the recorder's key", Cosigned: "none"}
		n, err := note.Open(text, s.verifiers)
		switch {
		case err != nil:
			row.Signature = "does not hold: " + err.Error()
		case len(n.UnverifiedSigs) > 0:
			row.Cosigned = fmt.Sprintf("unchecked: %s (the recorder does not hold that key)", n.UnverifiedSigs[0].Name)
		}
		out = append(out, row)
	}
	return out
}

// chunks makes messages of a stream of small writes.
type chunks struct {
	send func([]byte) error
	buf  bytes.Buffer
}

var _ io.Writer = (*chunks)(nil)

// Write keeps b until a message is full.
func (c *chunks) Write(b []byte) (int, error) {
	n := len(b)
	for c.buf.Len()+len(b) >= exportChunk {
		room := exportChunk - c.buf.Len()
		c.buf.Write(b[:room])
		b = b[room:]
		if err := c.flush(); err != nil {
			return 0, err
		}
	}
	c.buf.Write(b)
	return n, nil
}

func (c *chunks) flush() error {
	if c.buf.Len() == 0 {
		return nil
	}
	b := bytes.Clone(c.buf.Bytes()) // a message may be read after Send returns, over memory
	c.buf.Reset()
	return c.send(b)
}
