package recorder

import (
	"context"
	"fmt"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/store"
)

// checkpoint is a log's newest one.
func checkpoint(log *store.Log) (*recorderv1.LogCheckpoint, error) {
	c, note := log.Checkpoint()
	if note == nil {
		return nil, &store.Fault{Kind: store.Unknown, Log: log.Kind(), Cause: fmt.Errorf("nothing was recorded")}
	}
	return logCheckpoint(log.Kind(), c, note), nil
}

func logCheckpoint(kind ledger.Log, c ledger.Checkpoint, note []byte) *recorderv1.LogCheckpoint {
	return &recorderv1.LogCheckpoint{Log: recorderv1.Log(kind), Note: string(note), Size: c.Size, Root: append([]byte(nil), c.Root[:]...),
		Cosigned: store.Cosigned(note)}
}

// GetCheckpoint gives the newest signed checkpoint of a log.
func (s *Service) GetCheckpoint(ctx context.Context, req *recorderv1.GetCheckpointRequest) (*recorderv1.GetCheckpointResponse, error) {
	_, log, err := s.reading(ctx, req.GetRun(), req.GetLog())
	if err != nil {
		return nil, problem(err)
	}
	if _, note := log.Checkpoint(); note == nil && log.Durable() > 0 && log.Broken() == nil {
		if err := log.Flush(ctx); err != nil { // the first one is due within a second; nobody need wait for it
			return nil, problem(err)
		}
	}
	c, err := checkpoint(log)
	if err != nil {
		return nil, problem(err)
	}
	return &recorderv1.GetCheckpointResponse{Checkpoint: c, Vkey: s.d.VKey}, nil
}

// GetInclusionProof proves that an entry is in the log.
func (s *Service) GetInclusionProof(ctx context.Context, req *recorderv1.GetInclusionProofRequest) (*recorderv1.GetInclusionProofResponse, error) {
	_, log, err := s.reading(ctx, req.GetRun(), req.GetLog())
	if err != nil {
		return nil, problem(err)
	}
	proof, c, note, err := log.InclusionProof(req.GetSeq(), req.GetSize())
	if err != nil {
		return nil, problem(err)
	}
	resp := &recorderv1.GetInclusionProofResponse{Hashes: hashes(proof), Checkpoint: logCheckpoint(log.Kind(), c, note)}
	for f, err := range log.Events(ctx, store.Query{From: req.GetSeq(), To: req.GetSeq() + 1}) {
		if err != nil {
			return nil, problem(err)
		}
		resp.Entry = f.AppendBinary(nil)
	}
	return resp, nil
}

// GetConsistencyProof proves that a log only grew.
func (s *Service) GetConsistencyProof(ctx context.Context, req *recorderv1.GetConsistencyProofRequest) (*recorderv1.GetConsistencyProofResponse, error) {
	_, log, err := s.reading(ctx, req.GetRun(), req.GetLog())
	if err != nil {
		return nil, problem(err)
	}
	proof, c, note, err := log.ConsistencyProof(req.GetFromSize(), req.GetToSize())
	if err != nil {
		return nil, problem(err)
	}
	return &recorderv1.GetConsistencyProofResponse{Hashes: hashes(proof), Checkpoint: logCheckpoint(log.Kind(), c, note)}, nil
}

func hashes(in []ledger.Hash) [][]byte {
	out := make([][]byte, len(in))
	for i := range in {
		out[i] = append([]byte(nil), in[i][:]...)
	}
	return out
}
