package live

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/provenir/provenir/cli/app"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
)

// Conclude prints how a run ended and how a stranger verifies it. A run that did not succeed is exit code 1, and 2 where what
// it was given could not be used.
func Conclude(a *app.App, s *app.Session, r *orchestratorv1.Run) error {
	if a.JSON {
		if err := a.PrintJSON(r); err != nil {
			return err
		}
		return ended(r)
	}
	a.Print("")
	if r.GetTracked() != nil {
		concludeTracked(a, s, r)
		return ended(r)
	}
	if first, last := evaluations(r); first != nil {
		a.Print("held-out accuracy before  %s", Estimate(first.GetEstimates()[0]))
		if last == first { // the same number again would read as if nothing had changed
			a.Print("held-out accuracy after   not measured: the run ended before it was evaluated again")
		} else {
			a.Print("held-out accuracy after   %s", Estimate(last.GetEstimates()[0]))
		}
		for _, t := range last.GetTests() {
			if string(t.GetBaseline()) == string(first.GetRowsDigest()) {
				a.Print("gain, paired by row       %s", Estimate(t.GetDifference()))
			}
		}
	}
	if d, ok := Took(r); ok {
		a.Print("took                      %s", d)
	}
	if len(r.GetEventsRoot()) > 0 {
		a.Print("ledger root               %s", hex.EncodeToString(r.GetEventsRoot()))
		a.Print("digest chain              %s", hex.EncodeToString(r.GetChain()))
	}
	Passport(a, s, r)
	return ended(r)
}

// Passport prints where a run's passport is and how a stranger verifies it; nothing where there is none.
func Passport(a *app.App, s *app.Session, r *orchestratorv1.Run) {
	if r.GetPassport() == "" {
		return
	}
	folder := relative(r.GetPassportFolder())
	a.Print("passport                  %s", folder)
	a.Print("\nverify both, here or on another machine with a copy of the folders:")
	a.Print("  %s passport verify %s --key %s", app.Command(), folder, filepath.Join(folder, "keys", "signer.pem"))
	if dir := ledgerFolder(a, s, r.GetUid()); dir != "" {
		a.Print("  %s ledger verify %s --vkey %s", app.Command(), dir, filepath.Join(folder, "log.vkey"))
	}
}

// concludeTracked prints how a tracked run ended. Its evaluations are its caller's: nothing says that they were held out, and
// no gain is worked out of them.
func concludeTracked(a *app.App, s *app.Session, r *orchestratorv1.Run) {
	if n := len(r.GetEvaluations()); n > 0 {
		e := r.GetEvaluations()[n-1]
		for _, x := range e.GetEstimates() {
			a.Print("%-25s %s after step %d, %s", x.GetMetric(), Estimate(x), e.GetStep(), x.GetDefinition())
		}
	}
	if d, ok := Took(r); ok {
		a.Print("took                      %s by the tracker's clock", d)
	}
	if len(r.GetEventsRoot()) > 0 {
		a.Print("ledger root               %s", hex.EncodeToString(r.GetEventsRoot()))
	}
	Passport(a, s, r)
}

// Took is how long a run took by the clock on the wall, from its creation to its end, pauses and restarts included: what
// its own timestamps say. There is no such time before the end.
func Took(r *orchestratorv1.Run) (time.Duration, bool) {
	if r.GetCreateTime() == nil || r.GetEndTime() == nil {
		return 0, false
	}
	d := r.GetEndTime().AsTime().Sub(r.GetCreateTime().AsTime())
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond), true
	case d < time.Minute:
		return d.Round(100 * time.Millisecond), true
	}
	return d.Round(time.Second), true
}

func evaluations(r *orchestratorv1.Run) (first, last *evaluatorv1.Evaluation) {
	for _, e := range r.GetEvaluations() {
		if len(e.GetEstimates()) == 0 {
			continue
		}
		if first == nil {
			first = e
		}
		last = e
	}
	return first, last
}

func ended(r *orchestratorv1.Run) error {
	if r.GetState() == orchestratorv1.RunState_RUN_STATE_SUCCEEDED {
		return nil
	}
	state := strings.ToLower(strings.TrimPrefix(r.GetState().String(), "RUN_STATE_"))
	if f := r.GetFailure(); f != nil {
		err := fmt.Errorf("the run %s: %s [%s]", state, strings.TrimPrefix(f.GetMessage(), f.GetCode()+": "), f.GetCode())
		switch f.GetCode() {
		case "DATASET_INVALID", "DATASET_NOT_FOUND", "VERIFIER_INVALID":
			return app.Usage(err)
		}
		return app.Fails(err)
	}
	return app.Fails(fmt.Errorf("the run ended as %s", state))
}

func relative(path string) string {
	if rel, err := filepath.Rel(".", path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}

// ledgerFolder is where the logs of a local mesh lie; a remote one's are on its own disk.
func ledgerFolder(a *app.App, s *app.Session, uid string) string {
	if s.Local == nil {
		return ""
	}
	settings, err := a.Settings()
	if err != nil {
		return ""
	}
	return filepath.Join(settings.Get("data"), "ledger", "default", uid)
}
