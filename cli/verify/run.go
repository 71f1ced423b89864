package verify

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/cli/rl"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rows"
	"github.com/provenir/provenir/mesh"
)

func (o *options) run(ctx context.Context, a *app.App) error {
	if o.spec == "" || o.In == "" {
		return app.Usage(errors.New("give --spec and --in"))
	}
	if o.Workers < 1 {
		return app.Usage(errors.New("--workers must be at least 1"))
	}
	spec, err := rl.ParseVerifier(o.spec)
	if err != nil {
		return app.Usage(err)
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
	s, err := a.Connect(ctx, mesh.Verifier)
	if err != nil {
		return err
	}
	defer s.Close()
	c := verifierv1.NewVerifierServiceClient(s.Conn)
	if o.Out == "-" {
		return o.stream(ctx, c, spec, reader, a.Out)
	}
	var buf bytes.Buffer
	err = o.stream(ctx, c, spec, reader, &buf)
	var exit app.Exit
	if err != nil && (!errors.As(err, &exit) || buf.Len() == 0) {
		return err
	}
	return errors.Join(err, app.WriteFile(o.Out, buf.Bytes(), o.Force))
}

// stream sends rows and writes answers in their order, with a bounded number under way.
func (o *options) stream(ctx context.Context, c verifierv1.VerifierServiceClient, spec *verifierv1.Spec, in *rows.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.VerifyBatch(ctx)
	if err != nil {
		return err
	}
	queue := make(chan row, 64*o.Workers)
	sent := make(chan error, 1)
	go func() {
		defer close(queue)
		sent <- o.send(ctx, stream, spec, in, queue)
	}()
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	var t tally
	for r := range queue {
		l := line{ID: r.id, Error: r.bad}
		if r.bad == nil {
			m, err := stream.Recv()
			if err != nil {
				return errors.Join(err, w.Flush())
			}
			l = answer(r, m)
		}
		t.add(&l, o.check)
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	if err := errors.Join(<-sent, w.Flush()); err != nil {
		return err
	}
	return t.outcome(o.KeepGoing)
}

// send reads rows and sends those that can be read; the queue has them all, in order.
func (o *options) send(ctx context.Context, stream verifierv1.VerifierService_VerifyBatchClient, spec *verifierv1.Spec, in *rows.Reader, queue chan<- row) error {
	first, own := true, false // own: the row before had a spec of its own, which the stream keeps to
	for {
		got, err := in.Next()
		var bad *rows.RowError
		var r row
		switch {
		case errors.Is(err, io.EOF):
			return stream.CloseSend()
		case errors.As(err, &bad):
			r = row{line: bad.Line, bad: &lineError{bad.Code, bad.Err.Error(), bad.Line}}
		case err != nil:
			return app.Usage(err)
		default:
			r = o.read(&got)
		}
		if r.bad == nil && (first || own || r.spec != "") {
			r.req.Spec = spec
			if r.spec != "" {
				r.req.Spec = &verifierv1.Spec{Name: r.spec}
			}
			if first && r.spec != "" { // the verb's own is fixed first: what is wrong with it is no fault of the row
				if err := stream.Send(&verifierv1.VerifyBatchRequest{Spec: spec}); err != nil {
					return sendError(err)
				}
			}
			first, own = false, r.spec != ""
		}
		select {
		case queue <- r:
		case <-ctx.Done():
			return ctx.Err()
		}
		if r.bad != nil {
			continue
		}
		if err := stream.Send(r.req); err != nil {
			return sendError(err)
		}
	}
}

// sendError: after io.EOF the receiver has the reason.
func sendError(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
