package recorder

import (
	"fmt"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/store"
)

// payloadChunk is what a message of a payload holds.
const payloadChunk = 256 << 10

// ReadPayload gives one record's payload in chunks. What is erased, retired or not here answers with its reason.
func (s *Service) ReadPayload(req *recorderv1.ReadPayloadRequest, stream recorderv1.RecorderService_ReadPayloadServer) error {
	ctx := stream.Context()
	_, log, err := s.reading(ctx, req.GetRun(), req.GetLog())
	if err != nil {
		return problem(err)
	}
	for f, err := range log.Events(ctx, store.Query{From: req.GetSeq(), To: req.GetSeq() + 1}) {
		if err == nil {
			err = readable(log, f)
		}
		if err == nil {
			err = sendPayload(stream, log, f)
		}
		if store.KindOf(err) == store.BlobMissing && s.d.Copies != nil && s.d.Blobs != nil {
			if back, fetchErr := s.restoreBlob(ctx, f.BlobDigest()); fetchErr != nil {
				err = fetchErr
			} else if back {
				err = sendPayload(stream, log, f)
			}
		}
		return problem(err)
	}
	return problem(&store.Fault{Kind: store.Invalid, Run: req.GetRun(), Log: log.Kind(), Seq: req.GetSeq(),
		Cause: fmt.Errorf("there is no record %d; the log has %d", req.GetSeq(), log.Durable())})
}

func sendPayload(stream recorderv1.RecorderService_ReadPayloadServer, log *store.Log, f *ledger.Frame) error {
	w := chunkWriter{stream}
	if !f.Inline() {
		return log.ReadBlob(stream.Context(), f, w)
	}
	_, err := w.Write(f.Stored)
	return err
}

// chunkWriter sends what is written.
type chunkWriter struct {
	stream recorderv1.RecorderService_ReadPayloadServer
}

// Write sends in messages of a bounded size.
func (w chunkWriter) Write(b []byte) (n int, err error) {
	for n < len(b) {
		part := b[n:min(len(b), n+payloadChunk)]
		if err := w.stream.Send(&recorderv1.ReadPayloadResponse{Chunk: part}); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}
