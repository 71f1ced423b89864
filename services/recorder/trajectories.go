package recorder

import (
	"errors"
	"io"
	"math"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/recorder/detect/stat"
	"github.com/provenir/provenir/services/recorder/hack"
)

const (
	maxMessages = 4096 // of a trajectory, files too: evidence names them by number
	answerBatch = 256  // rows a message
	kindsMax    = 64   // kinds counted; there are 21
)

// AnalyzeTrajectories judges rollouts of any origin. Nothing is stored: the rows are the caller's. Results come in input
// order, up to hack.Window rows late, because groups are judged as a whole; so a caller must not wait for a row's result
// before it sends the next one.
func (s *Service) AnalyzeTrajectories(stream recorderv1.RecorderService_AnalyzeTrajectoriesServer) error {
	in, groups, sum := newInspectors(), hack.NewGroups(), &summing{kinds: map[string]uint64{}}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if len(m.GetRows()) == 0 {
			return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "a message without rows").
				Field("rows", "send at least one; close the stream to end it")
		}
		for i, r := range in.inspect(m.GetRows()) {
			id := m.GetRows()[i].GetId()
			var done []hack.Answer
			if r.why != "" {
				done = groups.Bad(id, r.why)
			} else {
				done = groups.Add(id, r.row, r.result)
			}
			if err := answerTo(stream, sum, done); err != nil {
				return err
			}
		}
	}
	if err := answerTo(stream, sum, groups.Flush()); err != nil {
		return err
	}
	return stream.Send(&recorderv1.AnalyzeTrajectoriesResponse{Summary: sum.proto(groups.Batch())})
}

// rowOf reads a row, or says why it cannot be used.
func rowOf(t *recorderv1.Trajectory) (*hack.Row, string) {
	switch {
	case t.GetResponse() != "" && len(t.GetMessages()) > 0:
		return nil, "a row has a response or messages, not both"
	case proto.Size(t) > hack.MaxRow:
		return nil, "the row is larger than 4 MiB"
	case len(t.GetMessages()) > maxMessages || len(t.GetFiles()) > maxMessages || len(t.GetVerification()) > maxMessages || len(t.GetTamper()) > maxMessages:
		return nil, "more than 4096 messages, files or findings"
	case t.RewardRange != nil && !(t.GetRewardRange() > 0 && !math.IsInf(t.GetRewardRange(), 0)):
		return nil, "reward_range must be above 0 and finite"
	}
	row := &hack.Row{Prompt: t.GetPrompt(), Response: []byte(t.GetResponse()), Tamper: t.GetTamper(), Verified: len(t.GetVerification()) > 0 || t.Passed != nil,
		Proxy: t.ProxyReward, Heldout: t.HeldoutReward, Range: t.GetRewardRange(), Passed: t.Passed,
		Reference: t.GetReference(), Tests: t.GetTests(), Group: t.GetGroup()}
	assistant := len(t.GetMessages()) == 0
	for _, m := range t.GetMessages() {
		x := hack.Message{Role: m.GetRole(), Content: m.GetContent()}
		assistant = assistant || m.GetRole() == "assistant"
		for _, c := range m.GetToolCalls() {
			x.Calls = append(x.Calls, hack.ToolCall{Name: c.GetName(), Arguments: c.GetArguments()})
		}
		row.Messages = append(row.Messages, x)
	}
	if !assistant {
		return nil, "no message has the role assistant: there is nothing to judge"
	}
	for _, f := range t.GetFiles() {
		row.Files = append(row.Files, hack.File{Path: f.GetPath(), Content: f.GetContent()})
	}
	for _, f := range t.GetVerification() {
		row.Evidence = append(row.Evidence, hack.Evidence{Kind: f.GetKind(), Severity: hack.Severity(f.GetSeverity()), Detail: f.GetDetail()})
	}
	return row, ""
}

func answerTo(stream recorderv1.RecorderService_AnalyzeTrajectoriesServer, sum *summing, done []hack.Answer) error {
	for len(done) > 0 {
		n := min(len(done), answerBatch)
		out := &recorderv1.AnalyzeTrajectoriesResponse{}
		for i := range done[:n] {
			sum.add(&done[i])
			out.Results = append(out.Results, resultProto(&done[i]))
		}
		if err := stream.Send(out); err != nil {
			return err
		}
		done = done[n:]
	}
	return nil
}

func resultProto(a *hack.Answer) *recorderv1.TrajectoryResult {
	if a.Error != "" {
		return &recorderv1.TrajectoryResult{Id: a.ID, Error: a.Error}
	}
	out := &recorderv1.TrajectoryResult{Id: a.ID, Hacked: a.Hacked, Score: a.Score, Unchecked: a.Unchecked}
	for i := range a.Findings {
		out.Findings = append(out.Findings, hackFinding(&a.Findings[i]))
	}
	return out
}

func hackFinding(f *hack.Finding) *recorderv1.HackFinding {
	out := &recorderv1.HackFinding{Kind: f.Kind, Severity: corev1.Severity(f.Severity), Tier: string(rune(f.Tier)), Detail: strings.ToValidUTF8(f.Detail, "\uFFFD"), Where: f.Where}
	if f.Quote != "" {
		out.Quote = &corev1.Quote{Text: f.Quote, Start: uint32(f.Start), End: uint32(f.End)}
	}
	return out
}

// summing counts rows; kinds once a row.
type summing struct {
	inspected, hacked, errors uint64
	kinds                     map[string]uint64
}

func (s *summing) add(a *hack.Answer) {
	if a.Error != "" {
		s.errors++
		return
	}
	s.inspected++
	if a.Hacked {
		s.hacked++
	}
	for i := range a.Findings {
		first := true
		for j := range i {
			first = first && a.Findings[j].Kind != a.Findings[i].Kind
		}
		if _, there := s.kinds[a.Findings[i].Kind]; first && (there || len(s.kinds) < kindsMax) {
			s.kinds[a.Findings[i].Kind]++
		}
	}
}

func (s *summing) proto(batch []hack.Finding) *recorderv1.TrajectorySummary {
	out := &recorderv1.TrajectorySummary{Inspected: s.inspected, Hacked: s.hacked, Errors: s.errors, Kinds: s.kinds}
	if s.inspected > 0 {
		out.Rate = float64(s.hacked) / float64(s.inspected)
	}
	out.RateLow, out.RateHigh = stat.Wilson(s.hacked, s.inspected)
	for i := range batch {
		out.Batch = append(out.Batch, hackFinding(&batch[i]))
	}
	return out
}
