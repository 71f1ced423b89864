package run

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/provenir/provenir/cli/app"
	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// reading is run rollouts.
type reading struct {
	id    string
	step  int64
	limit int

	waiting []*line // rollouts whose verdict has not come, in their order
	printed int
	absent  int
}

// line is a rollout with its turns, as `provenir hacking --in` reads it too.
type line struct {
	ID         string   `json:"id"`
	Group      string   `json:"group,omitempty"`
	Step       uint64   `json:"step"`
	Prompt     string   `json:"prompt"`
	Trajectory []spoken `json:"trajectory"`
	Reward     *float64 `json:"proxy_reward,omitempty"` // absent where there is none
	Passed     *bool    `json:"passed,omitempty"`
	Reason     string   `json:"reason,omitempty"`
	Verifier   string   `json:"verifier,omitempty"`
	Evidence   string   `json:"evidence,omitempty"` // digest of the document with the hash of each turn onto the last
}

type spoken struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

func rollouts(a *app.App) *cobra.Command {
	r := reading{step: -1}
	cmd := &cobra.Command{
		Use: "rollouts RUN", Short: "Show rollouts of a run turn by turn, with their verdicts, from its ledger",
		Long: "Reads the log events: what the policy was asked, what it wrote, what tools and environments answered, and what the verifier\n" +
			"said of it. With --json each line is a row for 'provenir hacking --in'.",
		Example: "  provenir run rollouts @last --step 3\n  provenir run rollouts @last --limit 0 --json | provenir hacking --in -",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.limit < 0 {
				return app.Usage(fmt.Errorf("--limit %d: want 0 for all, or a number of rollouts", r.limit))
			}
			return with(cmd.Context(), a, func(s *app.Session, _ orchestratorv1.OrchestratorServiceClient) error {
				uid, err := s.RunUID(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return r.read(cmd.Context(), a, recorderv1.NewRecorderServiceClient(s.Conn), uid)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.id, "rollout", "", "only the rollout of this id")
	f.Int64Var(&r.step, "step", -1, "only those of this step, counted over stages from 0")
	f.IntVar(&r.limit, "limit", 20, "at most so many; 0 is all")
	return cmd
}

// errEnough ends the reading.
var errEnough = errors.New("enough")

func (r *reading) read(ctx context.Context, a *app.App, c recorderv1.RecorderServiceClient, uid string) error {
	req := &recorderv1.ListEventsRequest{Run: uid, PageSize: 500,
		Types: []recorderv1.RecordType{recorderv1.RecordType_RECORD_TYPE_ROLLOUT, recorderv1.RecordType_RECORD_TYPE_VERDICT}}
	for {
		page, err := c.ListEvents(ctx, req)
		if err != nil {
			return err
		}
		for _, e := range page.GetEvents() {
			if err = r.event(a, e); err != nil {
				break
			}
		}
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
		if req.PageToken = page.GetNextPageToken(); req.GetPageToken() == "" || err != nil {
			break
		}
	}
	for _, l := range r.waiting { // the run ended before their verdicts were there
		if err := r.print(a, l); err != nil && !errors.Is(err, errEnough) {
			return err
		}
	}
	if r.absent > 0 {
		a.Warn("the ledger does not hold the payload of %d records any more, or holds it in a blob of its own: they are left out", r.absent)
	}
	if r.printed == 0 && r.id != "" {
		return app.Usage(fmt.Errorf("run %s has no rollout %s", uid, r.id))
	}
	return nil
}

func (r *reading) event(a *app.App, e *recorderv1.Event) error {
	if e.GetBlob() != nil || e.GetPayloadAbsent() != 0 {
		r.absent++
		return nil
	}
	if e.GetType() == recorderv1.RecordType_RECORD_TYPE_ROLLOUT {
		m := &corev1.Rollout{}
		if err := proto.Unmarshal(e.GetPayload(), m); err != nil {
			return fmt.Errorf("record %d: %w", e.GetSeq(), err)
		}
		if (r.id == "" || m.GetRolloutId() == r.id) && (r.step < 0 || m.GetStep() == uint64(r.step)) {
			r.waiting = append(r.waiting, lineOf(m))
		}
		return nil
	}
	m := &corev1.Verdict{}
	if err := proto.Unmarshal(e.GetPayload(), m); err != nil {
		return fmt.Errorf("record %d: %w", e.GetSeq(), err)
	}
	for i, l := range r.waiting {
		if l.ID != m.GetRolloutId() {
			continue
		}
		r.waiting = append(r.waiting[:i], r.waiting[i+1:]...)
		l.judged(m)
		return r.print(a, l)
	}
	return nil
}

func lineOf(m *corev1.Rollout) *line {
	l := &line{ID: m.GetRolloutId(), Group: m.GetGroupId(), Step: m.GetStep(), Trajectory: []spoken{}}
	roles := map[corev1.SegmentKind]string{corev1.SegmentKind_SEGMENT_KIND_PROMPT: "user", corev1.SegmentKind_SEGMENT_KIND_MODEL: "assistant",
		corev1.SegmentKind_SEGMENT_KIND_TOOL: "tool", corev1.SegmentKind_SEGMENT_KIND_ENV: "environment"}
	for _, s := range m.GetSegments() {
		text := strings.ToValidUTF8(string(s.GetText()), "\uFFFD")
		if s.GetKind() == corev1.SegmentKind_SEGMENT_KIND_PROMPT && len(l.Trajectory) == 0 {
			l.Prompt += text
			continue
		}
		l.Trajectory = append(l.Trajectory, spoken{roles[s.GetKind()], text})
	}
	return l
}

func (l *line) judged(m *corev1.Verdict) {
	l.Verifier, l.Reason, l.Evidence = m.GetVerifier(), m.GetReason(), hex.EncodeToString(m.GetEvidenceDigest())
	if s := m.GetScored(); s != nil {
		l.Reward, l.Passed = &s.Reward, &s.Passed
	} else {
		l.Reason = lower(m.GetUnscored().GetReason().String(), "UNSCORED_REASON_")
	}
}

func (r *reading) print(a *app.App, l *line) error {
	if r.limit > 0 && r.printed == r.limit {
		return errEnough
	}
	r.printed++
	if a.JSON {
		return a.PrintJSON(l)
	}
	a.Print("rollout %s, step %d", l.ID, l.Step)
	a.Print("%s", indented("asked", l.Prompt))
	for _, t := range l.Trajectory {
		a.Print("%s", indented(t.Role, t.Content))
	}
	verdict := "no verdict"
	switch {
	case l.Reward != nil:
		verdict = fmt.Sprintf("%s: reward %g, passed %v, %s", l.Verifier, *l.Reward, *l.Passed, l.Reason)
	case l.Reason != "":
		verdict = fmt.Sprintf("%s: unscored, %s", l.Verifier, l.Reason)
	}
	a.Print("  verdict      %s", verdict)
	return nil
}

// indented puts a speaker before a text and keeps its further lines apart from the next speaker's.
func indented(who, text string) string {
	return fmt.Sprintf("  %-12s %s", who, strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n               "))
}
