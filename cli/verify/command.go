// Package verify is `provenir verify`: verdicts over a file of rows.
package verify

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/cli/rl"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/mesh"
)

type options struct {
	spec      string
	in, out   string
	check     bool
	keepGoing bool
	force     bool
}

// NewCommand is the verb.
func NewCommand(a *app.App) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use: "verify --spec SPEC --in F", Short: "Score responses in a batch",
		Long:    "Reads JSON lines with id, response and what the spec needs (reference, …), writes one line a row in input order.",
		Example: "  provenir verify --spec math --in rows.jsonl\n  provenir verify --spec 'math:profile=last_boxed,float_rounding=6' --in - --out verdicts.jsonl",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), a) },
	}
	f := cmd.Flags()
	f.StringVar(&o.spec, "spec", "", "name, name:option=value,…, or a YAML file")
	f.StringVar(&o.in, "in", "", "rows (- is standard input)")
	f.StringVar(&o.out, "out", "-", "verdicts (- is standard output)")
	f.BoolVar(&o.check, "check-tasks", false, "judge each row's own reference (must pass) and an empty answer (must fail)")
	f.BoolVar(&o.keepGoing, "keep-going", false, "a bad row does not change the exit code")
	f.BoolVar(&o.force, "force", false, "replace the output file")
	return cmd
}

// line is a row of the output; reward and passed exist only when scored.
type line struct {
	ID        string     `json:"id"`
	Status    string     `json:"status,omitempty"`
	Passed    *bool      `json:"passed,omitempty"`
	Reward    *float64   `json:"reward,omitempty"`
	Verifier  string     `json:"verifier,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	Detail    string     `json:"detail,omitempty"`
	Extracted string     `json:"extracted,omitempty"`
	Findings  []finding  `json:"findings,omitempty"`
	Duration  *int64     `json:"duration_us,omitempty"`
	TaskOK    *bool      `json:"task_ok,omitempty"`
	Error     *lineError `json:"error,omitempty"`
}

type finding struct {
	Kind     string `json:"kind"`
	Severity string `json:"severity"`
	Detail   string `json:"detail,omitempty"`
}

type lineError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Line    int    `json:"line"`
}

// row is one line of the input on its way.
type row struct {
	line int
	id   string
	bad  *lineError // set when the line could not be read: it is answered without a verdict
	req  *verifierv1.VerifyBatchRequest
}

func (o *options) run(ctx context.Context, a *app.App) error {
	if o.spec == "" || o.in == "" {
		return app.Usage(errors.New("give --spec and --in"))
	}
	spec, err := rl.ParseVerifier(o.spec)
	if err != nil {
		return app.Usage(err)
	}
	in := a.In
	if o.in != "-" {
		f, err := os.Open(o.in)
		if err != nil {
			return app.Usage(err)
		}
		defer f.Close()
		in = f
	}
	s, err := a.Connect(ctx, mesh.Verifier)
	if err != nil {
		return err
	}
	defer s.Close()
	if o.out == "-" {
		return o.stream(ctx, verifierv1.NewVerifierServiceClient(s.Conn), spec, in, a.Out)
	}
	var buf bytes.Buffer
	err = o.stream(ctx, verifierv1.NewVerifierServiceClient(s.Conn), spec, in, &buf)
	var bad app.Exit
	if err != nil && !(errors.As(err, &bad) && buf.Len() > 0) {
		return err
	}
	return errors.Join(err, app.WriteFile(o.out, buf.Bytes(), o.force))
}

// stream sends rows and writes answers in their order, with a bounded number under way.
func (o *options) stream(ctx context.Context, c verifierv1.VerifierServiceClient, spec *verifierv1.Spec, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.VerifyBatch(ctx)
	if err != nil {
		return err
	}
	queue := make(chan row, 1024)
	sent := make(chan error, 1)
	go func() {
		defer close(queue)
		sent <- o.send(ctx, stream, spec, in, queue)
	}()
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	wrong, failed := 0, 0
	for r := range queue {
		l := line{ID: r.id, Error: r.bad}
		if r.bad == nil {
			m, err := stream.Recv()
			if err != nil {
				return err
			}
			l = answer(r, m)
		}
		if l.Error != nil {
			wrong++
		}
		if o.check && l.Error == nil && (l.TaskOK == nil || !*l.TaskOK) {
			failed++
		}
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	if err := errors.Join(<-sent, w.Flush()); err != nil {
		return err
	}
	switch {
	case wrong > 0 && !o.keepGoing:
		return app.Usage(fmt.Errorf("%d rows could not be read; each says why (--keep-going accepts that)", wrong))
	case failed > 0:
		return app.Fails(fmt.Errorf("%d rows do not hold: their own reference fails, or an empty answer passes", failed))
	}
	return nil
}

func (o *options) send(ctx context.Context, stream verifierv1.VerifierService_VerifyBatchClient, spec *verifierv1.Spec, in io.Reader, queue chan<- row) error {
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, 0, 64<<10), 8<<20)
	first := true
	for n := 1; s.Scan(); n++ {
		b := bytes.TrimSpace(s.Bytes())
		if len(b) == 0 {
			continue
		}
		r := parse(n, bytes.Clone(b), o.check)
		select {
		case queue <- r:
		case <-ctx.Done():
			return ctx.Err()
		}
		if r.bad != nil {
			continue
		}
		if first {
			r.req.Spec, first = spec, false
		}
		if err := stream.Send(r.req); err == io.EOF {
			return nil // the receiver has the reason
		} else if err != nil {
			return err
		}
	}
	return errors.Join(s.Err(), stream.CloseSend())
}

func parse(n int, b []byte, check bool) row {
	var fields struct {
		ID       json.RawMessage `json:"id"`
		Response *string         `json:"response"`
	}
	r := row{line: n, id: fmt.Sprintf("line-%d", n)}
	if err := json.Unmarshal(b, &fields); err != nil {
		r.bad = &lineError{"BAD_ROW", err.Error(), n}
		return r
	}
	if len(fields.ID) > 0 {
		if json.Unmarshal(fields.ID, &r.id) != nil {
			r.id = string(fields.ID)
		}
	}
	if fields.Response == nil && !check {
		r.bad = &lineError{"BAD_ROW", "no response", n}
		return r
	}
	response := ""
	if fields.Response != nil {
		response = *fields.Response
	}
	r.req = &verifierv1.VerifyBatchRequest{CheckTask: check, Row: &verifierv1.Candidate{RolloutId: r.id, Response: []byte(response), RowJson: b}}
	return r
}

func answer(r row, m *verifierv1.VerifyBatchResponse) line {
	l := line{ID: r.id, TaskOK: m.TaskOk}
	if e := m.GetError(); e != nil {
		l.Error = &lineError{e.GetCode(), e.GetMessage(), r.line}
		return l
	}
	v := m.GetVerdict()
	l.Verifier, l.Reason, l.Extracted = v.GetVerifier(), v.GetReason(), v.GetExtracted()
	if t := m.GetMeasured().GetTook(); t != nil {
		us := t.AsDuration().Microseconds()
		l.Duration = &us
	}
	if sc := v.GetScored(); sc != nil {
		l.Status, l.Passed, l.Reward = "scored", &sc.Passed, &sc.Reward
	} else {
		l.Status = "unscored"
		l.Reason = lower(v.GetUnscored().GetReason().String(), "UNSCORED_REASON_")
		l.Detail = v.GetUnscored().GetDetail()
	}
	for _, f := range v.GetFindings() {
		l.Findings = append(l.Findings, finding{f.GetKind(), lower(f.GetSeverity().String(), "SEVERITY_"), f.GetDetail()})
	}
	return l
}

func lower(s, prefix string) string { return strings.ToLower(strings.TrimPrefix(s, prefix)) }
