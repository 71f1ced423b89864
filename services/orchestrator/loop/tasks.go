package loop

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/rpc"
)

// checkTasks lets the verifier judge every row's own reference, which must pass, and an empty answer, which must fail. A
// row whose reference cannot be parsed would be unscored at every visit and teach nothing. What does not stop the run is a
// warning.
func (o *Owner) checkTasks(ctx context.Context, d *corev1.DatasetRef, rows uint64) error {
	digest, err := blob.ParseDigest(d.GetDigest())
	if err != nil {
		return err
	}
	f, err := o.Blobs.Open(ctx, digest)
	if err != nil {
		return rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_DATASET_NOT_FOUND, "dataset %s: %w", digest, err)
	}
	defer f.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := o.Peers.Verifier.VerifyBatch(ctx)
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() { sent <- o.sendTasks(stream, f) }()
	t, err := o.judged(ctx, stream, rows)
	if err != nil {
		return err
	}
	if err := <-sent; err != nil {
		return err
	}
	if t.badRows > 0 {
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_VERIFIER_INVALID,
			"the verifier does not accept the own reference of %d rows: %s", t.badRows, strings.Join(t.bad, "; "))
	}
	return o.warn(ctx, t.warnings(o.Run.GetSpec().GetVerifier().GetName()))
}

func (o *Owner) sendTasks(stream verifierv1.VerifierService_VerifyBatchClient, r io.Reader) error {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 64<<10), 4<<20)
	first := true
	for line := 1; s.Scan(); line++ {
		b := bytes.TrimSpace(s.Bytes())
		if len(b) == 0 {
			continue
		}
		m := &verifierv1.VerifyBatchRequest{CheckTask: true, Row: &verifierv1.Candidate{RolloutId: fmt.Sprintf("row %d", line), RowJson: bytes.Clone(b)}}
		if first {
			m.Spec = o.Run.GetSpec().GetVerifier()
		}
		first = false
		if err := stream.Send(m); err == io.EOF {
			return nil // the receiver has the reason
		} else if err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return err
	}
	return stream.CloseSend()
}

// tasks is what the verifier found when it judged every row of a dataset.
type tasks struct {
	rows      int
	bad       []string // the first 20 rows that do not hold, with why
	badRows   int
	echoes    int    // rows whose prompt passes as its own answer
	firstEcho string // the first of them
	unchecked int    // rows without an answer of their own: only the empty one was tried
}

// echoPasses is the verifier's finding on a row whose own prompt passes as an answer to it.
const echoPasses = "echo_passes"

// showEvery is how often watchers see how far the verifier is with the rows: judging programs takes minutes.
const showEvery = time.Second

// judged reads an answer for every row that was sent, and shows how many there are.
func (o *Owner) judged(ctx context.Context, stream verifierv1.VerifierService_VerifyBatchClient, rows uint64) (tasks, error) {
	var t tasks
	shown := o.Clock.Now()
	for {
		m, err := stream.Recv()
		end := err == io.EOF
		if err != nil && !end {
			return tasks{}, err
		}
		if !end {
			t.add(m)
		}
		if now := o.Clock.Now(); end || now.Sub(shown) >= showEvery {
			shown = now
			if err := o.showChecked(ctx, uint64(t.rows), rows); err != nil || end {
				return t, err
			}
		}
	}
}

func (o *Owner) showChecked(ctx context.Context, done, rows uint64) error {
	return o.Board.Update(ctx, func(r *orchestratorv1.Run) {
		r.Progress.Phase, r.Progress.Checked, r.Progress.ToCheck = "checking", done, max(rows, done)
	})
}

func (t *tasks) add(m *verifierv1.VerifyBatchResponse) {
	t.rows++
	for _, f := range m.GetVerdict().GetFindings() {
		if f.GetKind() == echoPasses {
			if t.echoes++; t.echoes == 1 {
				t.firstEcho = m.GetId()
			}
			break
		}
	}
	switch {
	case m.GetTaskOk():
	case m.TaskOk == nil && m.GetError() == nil: //nolint:protogetter // absent is not false
		t.unchecked++
	default:
		if t.badRows++; t.badRows <= 20 {
			t.bad = append(t.bad, m.GetId()+": "+fault(m))
		}
	}
}

func fault(m *verifierv1.VerifyBatchResponse) string {
	if v := m.GetVerdict(); v != nil {
		return strings.TrimSpace(v.GetReason() + " " + v.GetUnscored().GetDetail())
	}
	return m.GetError().GetMessage()
}

// warnings are what does not stop a run and a person should know before its first step: a prompt that passes teaches the
// policy to repeat the question, and a row that was not checked may be unscored at every visit.
func (t *tasks) warnings(verifier string) []string {
	var out []string
	if t.echoes > 0 {
		use := "choose options of " + verifier + " that do not read the question"
		if verifier == "math" {
			use = "use math:profile=final_answer,form=number"
		}
		out = append(out, fmt.Sprintf("%d of %d prompts pass as their own answer (first: %s); %s or end prompts otherwise", t.echoes, t.rows, t.firstEcho, use))
	}
	if t.unchecked > 0 {
		out = append(out, fmt.Sprintf("%d of %d rows have no answer of their own; whether a right answer passes was not checked", t.unchecked, t.rows))
	}
	return out
}

// warn tells people, in the log and on the run: watchers see it with the run's next change. An attempt that is made again
// says nothing twice.
func (o *Owner) warn(ctx context.Context, warnings []string) error {
	if len(warnings) == 0 {
		return nil
	}
	for _, w := range warnings {
		o.Log.WarnContext(ctx, w, "run", o.Run.GetUid())
	}
	return o.Board.Update(ctx, func(r *orchestratorv1.Run) {
		for _, w := range warnings {
			if !slices.Contains(r.GetWarnings(), w) {
				r.Warnings = append(r.Warnings, w)
			}
		}
	})
}
