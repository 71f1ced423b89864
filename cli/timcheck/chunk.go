package timcheck

import (
	"errors"
	"fmt"
	"io"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// place is a row of the file that waits for its line of output; bad is set where it was never sent.
type place struct {
	id   string
	line int
	bad  *problem
}

// chunk is what is sent together, with the bad rows between.
type chunk struct {
	stream recorderv1.RecorderService_CheckMismatchClient
	p      *printer
	rows   []*recorderv1.MismatchRow
	size   int
	places []place
}

// flush sends the rows and prints them in the order of the file.
func (c *chunk) flush() error {
	var got []*recorderv1.MismatchResult
	if len(c.rows) > 0 {
		if err := c.stream.Send(&recorderv1.CheckMismatchRequest{Rows: c.rows}); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	for len(got) < len(c.rows) {
		m, err := c.stream.Recv()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("the recorder sent %d results for %d rows", len(got), len(c.rows))
		}
		if err != nil {
			return err
		}
		got = append(got, m.GetResults()...)
	}
	for _, at := range c.places {
		if at.bad != nil {
			if err := c.p.bad(at.id, at.bad); err != nil {
				return err
			}
			continue
		}
		if err := c.p.row(at, got[0]); err != nil {
			return err
		}
		got = got[1:]
	}
	c.rows, c.places, c.size = nil, nil, 0
	return nil
}

func (c *chunk) finish() (*recorderv1.MismatchSummary, error) {
	if err := c.flush(); err != nil {
		return nil, err
	}
	if err := c.stream.CloseSend(); err != nil {
		return nil, err
	}
	for {
		m, err := c.stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the recorder sent no summary")
		}
		if err != nil {
			return nil, err
		}
		if m.GetSummary() != nil {
			return m.GetSummary(), nil
		}
	}
}
