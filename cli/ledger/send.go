package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/internal/spool"
)

// A batch of rows: below the limits of AppendBatch.
const (
	batchRows  = 512
	batchBytes = 1 << 20
)

// imported is what came of one spool.
type imported struct {
	File   string      `json:"file"`
	Run    string      `json:"run"`
	Name   string      `json:"name,omitempty"`
	Rows   uint64      `json:"rows"` // that the file has of the run
	New    uint64      `json:"new"`  // that the ledger had not
	Next   uint64      `json:"next"`
	Steps  uint64      `json:"steps"`
	Ended  bool        `json:"ended"`   // the tracker has closed the run
	Part   bool        `json:"partial"` // it did not end, or not well, or not all of it was kept
	Health string      `json:"verdict"`
	Torn   *tornOutput `json:"torn,omitempty"`
}

type tornOutput struct {
	Line  uint64 `json:"line"`
	Bytes int    `json:"bytes"`
}

// send gives the rows to the recorder, those that it has as well: it compares them.
func (s *spooled) send(ctx context.Context, c recorderv1.RecorderServiceClient) (*imported, error) {
	f, err := os.Open(s.file)
	if err != nil {
		return nil, app.Usage(err)
	}
	defer f.Close()
	out := &imported{File: s.file, Run: s.head.Run, Name: s.head.Name, Part: true}
	before, err := s.next(ctx, c)
	if err != nil {
		return nil, err
	}
	out.Next = before
	b := batch{c: c, head: s.head}
	r := spool.NewReader(io.LimitReader(f, s.size)) // a tracker that lives may have gone on meanwhile
	for {
		line, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, app.Usage(err) // the file was changed since it was scanned
		}
		if line.Row.Type != spool.Resume {
			out.Rows++
		}
		if line.Row.Type == spool.Close {
			out.Ended = true
			out.Part = line.Row.Outcome != "completed" || line.Row.Dropped > 0 || line.Row.Invalid > 0
		}
		if err := b.add(ctx, line, out); err != nil {
			return nil, err
		}
	}
	if err := b.flush(ctx, out); err != nil {
		return nil, err
	}
	out.New = out.Next - before
	if s.torn != nil {
		out.Torn = &tornOutput{s.torn.Line, s.torn.Bytes}
	}
	sum, err := c.GetRunSummary(ctx, &recorderv1.GetRunSummaryRequest{Run: out.Run})
	out.Steps, out.Health = sum.GetSummary().GetSteps(), sum.GetSummary().GetVerdict()
	return out, err
}

// next asks what the recorder has; 0 of a run that it does not know.
func (s *spooled) next(ctx context.Context, c recorderv1.RecorderServiceClient) (uint64, error) {
	got, err := c.AppendBatch(ctx, &recorderv1.AppendBatchRequest{Run: s.head.Run, Epoch: s.head.Epoch, Log: recorderv1.Log_LOG_EVENTS})
	if rpc.Reason(err) == "RUN_NOT_FOUND" {
		if s.open {
			return 0, nil
		}
		return 0, app.Usage(fmt.Errorf("it is the rest of run %s, whose beginning a server has and this recorder has not: import it there: %w", s.head.Run, err))
	}
	if err != nil {
		return 0, explain(err, nil)
	}
	return got.GetNextSeq(), nil
}

// batch gathers rows.
type batch struct {
	c     recorderv1.RecorderServiceClient
	head  *spool.Row
	rows  []string
	lines []uint64
	bytes int
}

func (b *batch) add(ctx context.Context, l spool.Line, out *imported) error {
	if len(b.rows) == batchRows || b.bytes+len(l.Text) > batchBytes && len(b.rows) > 0 {
		if err := b.flush(ctx, out); err != nil {
			return err
		}
	}
	b.rows, b.lines, b.bytes = append(b.rows, l.Text), append(b.lines, l.Number), b.bytes+len(l.Text)
	return nil
}

func (b *batch) flush(ctx context.Context, out *imported) error {
	if len(b.rows) == 0 {
		return nil
	}
	got, err := b.c.AppendBatch(ctx, &recorderv1.AppendBatchRequest{Run: b.head.Run, Epoch: b.head.Epoch, Log: recorderv1.Log_LOG_EVENTS, Rows: b.rows})
	if err != nil {
		return explain(err, b.lines)
	}
	out.Next = got.GetNextSeq()
	b.rows, b.lines, b.bytes = b.rows[:0], b.lines[:0], 0
	return nil
}

var refusedRow = regexp.MustCompile(`^rows\[(\d+)\]: `)

// explain says what a refusal means for a spool: which line, or whose rows the ledger has.
func explain(err error, lines []uint64) error {
	switch {
	case rpc.Reason(err) == "DIVERGENT_REPLAY":
		return app.Fails(fmt.Errorf("the ledger has other rows of this run than the spool: %w", err))
	case rpc.Reason(err) == "RUN_SEALED":
		return app.Fails(fmt.Errorf("the ledger has sealed this run, and the spool goes on: %w", err))
	case status.Code(err) == codes.InvalidArgument:
		m := refusedRow.FindStringSubmatch(rpc.Message(err))
		if m == nil {
			return err
		}
		if i, bad := strconv.Atoi(m[1]); bad == nil && i < len(lines) {
			return app.Usage(fmt.Errorf("line %d: %w", lines[i], err))
		}
	}
	return err
}

// print tells what a person needs to go on.
func (i *imported) print(a *app.App) error {
	if i.Torn != nil {
		a.Note("%s: line %d is a write that was cut off (%d bytes); it is left out", i.File, i.Torn.Line, i.Torn.Bytes)
	}
	if a.JSON {
		return a.PrintJSON(i)
	}
	state := "complete"
	switch {
	case !i.Ended:
		state = "partial: it has no end yet"
	case i.Part:
		state = "partial"
	}
	a.Print("%s  %d rows, %d new, %d steps, %s, %s", i.Run, i.Rows, i.New, i.Steps, i.Health, state)
	a.Note("what is wrong with it: %s diagnose %s", app.Command(), i.Run)
	return nil
}
