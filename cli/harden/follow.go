package harden

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/provenir/provenir/cli/app"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rpc"
)

type report interface {
	proto.Message
	GetVerdict() string
	GetReasons() []string
}

type frame[R report] interface {
	GetProgress() *verifierv1.CheckProgress
	GetReport() R
}

// follow shows how far a check is, then its report, and exits as the report says.
func follow[F frame[R], R report](a *app.App, next func() (F, error), show func(*app.App, R)) error {
	for {
		m, err := next()
		if err != nil {
			return insufficient(err)
		}
		if p := m.GetProgress(); p != nil {
			if a.Terminal && !a.Quiet {
				fmt.Fprintf(a.Err, "\r%s %d of about %d   ", p.GetPhase(), p.GetDone(), p.GetTotal())
			}
			continue
		}
		r := m.GetReport()
		if a.JSON {
			if err := a.PrintJSON(r); err != nil {
				return err
			}
		} else {
			show(a, r)
		}
		return verdictOf(r.GetVerdict(), r.GetReasons())
	}
}

// insufficient gives the refusals of too little to compare the exit of a check that could not be made.
func insufficient(err error) error {
	switch rpc.Reason(err) {
	case "INSUFFICIENT_PROBES", "NO_CONTROLS":
		return app.Unchecked(err)
	}
	return err
}

// verdictOf is the exit: 1 for what was found, 3 for what could not be said. A verdict that this build does not know, of a
// newer mesh, is no pass.
func verdictOf(verdict string, reasons []string) error {
	why := errors.New(verdict)
	if len(reasons) > 0 {
		why = fmt.Errorf("%s: %s", verdict, reasons[0])
	}
	switch verdict {
	case "passed", "warned", "valid":
		return nil
	case "blocked", "spurious":
		return app.Fails(why)
	case "insufficient", "no_signal":
		return app.Unchecked(why)
	}
	return app.Unchecked(fmt.Errorf("the mesh answers with verdict %q, which this build does not know; use its version of provenir", verdict))
}
