// Package batch runs a verb over the rows of a file: one JSON line out for each row in, in the order of the input, with
// the same id, whatever the number of workers.
//
// A row that cannot be used gets {"id", "error": {code, message, line}} and the others go on; the exit code is then 2
// unless --keep-going is given.
package batch

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/internal/rows"
	"github.com/provenir/provenir/internal/rpc"
)

// Options are the flags that all batch verbs have.
type Options struct {
	In, Out   string
	KeepGoing bool
	Force     bool
	Workers   int
}

// Bind adds the flags.
func (o *Options) Bind(cmd *cobra.Command, columns string) {
	f := cmd.Flags()
	f.StringVar(&o.In, "in", "", "rows "+columns+" as .jsonl, .json or .csv, each also .gz or .zst (- is standard input)")
	f.StringVar(&o.Out, "out", "-", "answers as JSON lines (- is standard output)")
	f.BoolVar(&o.KeepGoing, "keep-going", false, "a bad row does not change the exit code")
	f.BoolVar(&o.Force, "force", false, "replace the output file")
	f.IntVar(&o.Workers, "workers", 4, "rows under way at once; the order of the output does not depend on it")
}

// RowError is a row that cannot be used; the others go on.
type RowError struct{ Code, Message string }

func (e *RowError) Error() string { return e.Message }

// Bad refuses a row.
func Bad(format string, args ...any) error {
	return &RowError{Code: "bad_row", Message: fmt.Sprintf(format, args...)}
}

type badLine struct {
	ID    string  `json:"id"`
	Error problem `json:"error"`
}

type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Line    int    `json:"line"`
}

// answer is a row's line, once it is there.
type answer struct {
	done chan struct{}
	line any
	bad  bool
}

// Run calls one for each row and writes what it gives. An error of one that is no *RowError ends the run.
func (o *Options) Run(ctx context.Context, a *app.App, one func(ctx context.Context, id string, row rows.Row) (any, error)) error {
	if o.Workers < 1 {
		return app.Usage(errors.New("--workers must be at least 1"))
	}
	if err := app.Vacant(o.Out, o.Force); err != nil {
		return err
	}
	in, err := a.Open(o.In)
	if err != nil {
		return err
	}
	defer in.Close()
	reader, err := rows.Open(o.In, in, rows.Options{})
	if err != nil {
		return app.Usage(err)
	}
	defer reader.Close()
	if o.Out == "-" {
		return o.run(ctx, reader, a.Out, one)
	}
	var buf bytes.Buffer
	err = o.run(ctx, reader, &buf, one)
	var exit app.Exit
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	return errors.Join(err, app.WriteFile(o.Out, buf.Bytes(), o.Force))
}

func (o *Options) run(ctx context.Context, in *rows.Reader, out io.Writer, one func(context.Context, string, rows.Row) (any, error)) error {
	g, ctx := errgroup.WithContext(ctx)
	queue := make(chan *answer, 4*o.Workers) // in input order; its length bounds what is under way
	slots := make(chan struct{}, o.Workers)
	g.Go(func() error {
		defer close(queue)
		ids := map[string]bool{}
		for {
			row, err := in.Next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			x := &answer{done: make(chan struct{})}
			var bad *rows.RowError
			switch {
			case errors.As(err, &bad):
				x.refuse("", &RowError{bad.Code, bad.Err.Error()}, bad.Line)
			case err != nil:
				return app.Usage(err)
			default:
				id, err := identify(&row, ids)
				if err != nil {
					x.refuse(id, err, row.Line)
					break
				}
				select {
				case slots <- struct{}{}:
				case <-ctx.Done():
					return ctx.Err()
				}
				g.Go(func() error {
					defer func() { <-slots }()
					return x.work(ctx, id, row, one)
				})
			}
			select {
			case queue <- x:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	wrong := 0
	g.Go(func() error {
		w := bufio.NewWriter(out)
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		for x := range queue {
			select {
			case <-x.done:
			case <-ctx.Done():
				return errors.Join(ctx.Err(), w.Flush())
			}
			if x.bad {
				wrong++
			}
			if err := enc.Encode(x.line); err != nil {
				return err
			}
		}
		return w.Flush()
	})
	if err := g.Wait(); err != nil {
		return err
	}
	if wrong > 0 && !o.KeepGoing {
		return app.Usage(fmt.Errorf("%d row(s) could not be used; their lines say why", wrong))
	}
	return nil
}

func (x *answer) refuse(id string, err error, line int) {
	p := problem{Code: "bad_row", Message: err.Error(), Line: line}
	var bad *RowError
	if errors.As(err, &bad) {
		p.Code = bad.Code
	}
	x.line, x.bad = badLine{id, p}, true
	close(x.done)
}

func (x *answer) work(ctx context.Context, id string, row rows.Row, one func(context.Context, string, rows.Row) (any, error)) error {
	line, err := one(ctx, id, row)
	var bad *RowError
	switch {
	case errors.As(err, &bad):
		x.refuse(id, bad, row.Line)
		return nil
	case err != nil:
		return err
	}
	x.line = line
	close(x.done)
	return nil
}

// identify reads the id of a row. Without one, or with that of another row, an answer could not be joined with its row.
func identify(row *rows.Row, ids map[string]bool) (string, error) {
	raw, ok := row.Get("id")
	if !ok {
		return "", &RowError{"missing_id", "the row has no id; give every row its own"}
	}
	var id string
	if json.Unmarshal(raw, &id) != nil {
		id = string(raw) // a number
	}
	if ids[id] {
		return id, &RowError{"duplicate_id", "another row has the id " + id}
	}
	ids[id] = true
	return id, nil
}

// Text reads a column that must be a text.
func Text(row *rows.Row, key string) (string, error) {
	raw, ok := row.Get(key)
	if !ok {
		return "", Bad("the row has no column %s", key)
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return "", Bad("column %s is no text", key)
	}
	return s, nil
}

// OfRow makes an error that a service gives for what the row holds one of the row; any other error stays what it is.
func OfRow(err error) error {
	if status.Code(err) != codes.InvalidArgument {
		return err
	}
	return &RowError{Code: strings.ToLower(rpc.Reason(err)), Message: rpc.Message(err)}
}
