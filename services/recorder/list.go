package recorder

import (
	"context"
	"fmt"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/store"
)

const (
	defaultPage  = 100
	maxPageBytes = 3 << 20 // a page stays a message, with room for its framing
)

// logOf is the log a request reads; unspecified is events.
func logOf(l recorderv1.Log) ledger.Log {
	if l == recorderv1.Log_LOG_UNSPECIFIED {
		return ledger.Events
	}
	return ledger.Log(l)
}

// stream names a log for tokens.
func (l *live) stream(kind ledger.Log) string { return ledger.Origin(l.tenant, l.run.ID, kind) }

// reading opens a run's log for reading.
func (s *Service) reading(ctx context.Context, run string, log recorderv1.Log) (*live, *store.Log, error) {
	l, err := s.get(ctx, tenant(ctx), run, false)
	if err != nil {
		return nil, nil, err
	}
	kind := logOf(log)
	if kind < ledger.Events || kind > ledger.Timing {
		return nil, nil, &store.Fault{Kind: store.Invalid, Run: run, Cause: fmt.Errorf("no log has the number %d", log)}
	}
	return l, l.log(kind), nil
}

// ListEvents reads a range of a log.
func (s *Service) ListEvents(ctx context.Context, req *recorderv1.ListEventsRequest) (*recorderv1.ListEventsResponse, error) {
	l, log, err := s.reading(ctx, req.GetRun(), req.GetLog())
	if err != nil {
		return nil, problem(err)
	}
	from := req.GetFromSeq()
	if t := req.GetPageToken(); t != "" {
		if from, err = s.d.Tokens.Position("page/"+l.stream(log.Kind()), t); err != nil {
			return nil, problem(err)
		}
	}
	size := int(req.GetPageSize())
	if size == 0 {
		size = defaultPage
	}
	resp := &recorderv1.ListEventsResponse{}
	bytes := 0
	for f, err := range log.Events(ctx, store.Query{From: from, To: req.GetToSeq(), Types: types(req.GetTypes()), Damaged: req.GetIncludeDamaged()}) {
		if err != nil {
			e, ok := gap(log.Kind(), err)
			if !ok || !req.GetIncludeDamaged() {
				if len(resp.GetEvents()) > 0 { // what is before the damage first; the next page begins with the error
					resp.NextPageToken = s.d.Tokens.Token("page/"+l.stream(log.Kind()), resp.GetEvents()[len(resp.GetEvents())-1].GetSeq()+1)
					break
				}
				return nil, problem(err)
			}
			resp.Events = append(resp.Events, e)
			continue
		}
		if len(resp.GetEvents()) == size || bytes > 0 && bytes+len(f.Stored) > maxPageBytes {
			resp.NextPageToken = s.d.Tokens.Token("page/"+l.stream(log.Kind()), f.Seq)
			break
		}
		bytes += len(f.Stored)
		resp.Events = append(resp.Events, s.event(l, log.Kind(), f))
	}
	if err := s.addVolatile(ctx, l, log.Kind(), resp.GetEvents()); err != nil {
		return nil, problem(err)
	}
	return resp, nil
}

func types(in []recorderv1.RecordType) []ledger.RecordType {
	out := make([]ledger.RecordType, len(in))
	for i, t := range in {
		out[i] = ledger.RecordType(t)
	}
	return out
}

// event copies a frame, which is the reader's.
func (s *Service) event(l *live, kind ledger.Log, f *ledger.Frame) *recorderv1.Event {
	e := &recorderv1.Event{Log: recorderv1.Log(kind), Seq: f.Seq, Type: recorderv1.RecordType(f.Type), Digest: append([]byte(nil), f.Digest[:]...),
		ResumeToken: s.d.Tokens.Token(l.stream(kind), f.Seq+1)}
	switch why := store.Unreadable(f); {
	case why != "":
		e.PayloadAbsent = answers[why].reason
	case f.Inline():
		e.Payload = append([]byte(nil), f.Stored...)
	default:
		d := f.BlobDigest()
		_, _, _, e.Encrypted = f.SealedBlob()
		e.Blob = &corev1.BlobRef{Digest: d[:], SizeBytes: f.Length, MediaType: f.MediaType()}
	}
	return e
}

// gap makes an explicit item of a damaged range: its payload says which records cannot be read.
func gap(kind ledger.Log, err error) (*recorderv1.Event, bool) {
	f, ok := corrupt(err)
	if !ok {
		return nil, false
	}
	return &recorderv1.Event{Log: recorderv1.Log(kind), Seq: f.FirstSeq, Type: recorderv1.RecordType_RECORD_TYPE_GAP,
		Payload: fmt.Appendf(nil, `{"first_seq":%d,"last_seq":%d,"segment":%d,"offset":%d}`, f.FirstSeq, f.LastSeq, f.Segment, f.Offset)}, true
}

// addVolatile joins what was kept beside events. It is looked up in one pass over a page.
func (s *Service) addVolatile(ctx context.Context, l *live, kind ledger.Log, events []*recorderv1.Event) error {
	if kind != ledger.Events || len(events) == 0 {
		return nil
	}
	v, err := l.run.Volatile(ctx, events[0].GetSeq(), events[len(events)-1].GetSeq())
	if err != nil {
		return err
	}
	for _, e := range events {
		e.Volatile = v[e.GetSeq()]
	}
	return nil
}
