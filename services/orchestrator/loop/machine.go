package loop

import (
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/internal/rpc"
)

// maxCrashes is how often an engine may crash or get lost before the run fails.
const maxCrashes = 3

// machine decides what follows an attempt. It is pure: how the attempt ended and what a person asked for go in, a move
// comes out.
type machine struct{ crashes int }

// move is what an owner does next.
type move int

const (
	done    move = iota // the run has ended
	leave               // this process has nothing more to do with it: it is dead, or another one owns the run
	again               // at once, from the last whole snapshot
	wait                // and then again: what is missing will come back
	giveUp              // the run ends as FAILED
	abandon             // the run ends as CANCELLED: what it waits for need not come
)

// after gives the move. why is an error reason, or what is waited for. A person who cancels need not wait for what is
// missing; an engine that crashed need not be started again for it.
func (m *machine) after(err error, cancelled bool) (next move, why string) {
	kind, why := classify(err)
	switch kind {
	case ended:
		return done, ""
	case dead:
		return leave, why
	case passing:
		if cancelled {
			return abandon, why
		}
		return wait, why
	case crash:
		if cancelled {
			return abandon, why
		}
		if m.crashes++; m.crashes <= maxCrashes {
			return again, why
		}
	}
	return giveUp, why
}

// kind is what an attempt's end means.
type kind int

const (
	ended   kind = iota // the run has ended
	dead                // this process has: a test killed it here, or it lost the lease
	passing             // a neighbour is away or full: wait and try again
	crash               // the engine failed: try again, a few times
	fatal               // it would fail again
)

// classify tells errors that pass from those that would come back. why is an error reason, or what is waited for.
func classify(err error) (kind, string) {
	switch reason := rpc.Reason(err); {
	case err == nil:
		return ended, ""
	case errors.Is(err, faultline.ErrKilled), reason == "LEASE_LOST":
		return dead, reason
	case reason == "LEDGER_DISK_FULL":
		return passing, disk
	case rpc.Temporary(err):
		return passing, "a role of the mesh: " + rpc.Message(err)
	case reason == "DIVERGENT_REPLAY":
		return fatal, "RESUME_DIVERGED"
	case reason == "STREAM_REPLACED", reason == "" && status.Code(err) == codes.Canceled:
		return passing, "the trainer"
	case reason == "INTERNAL", reason == "NON_FINITE", reason == "ENGINE_LOST", reason == "":
		return crash, reason
	default:
		return fatal, reason
	}
}

// disk is what a run waits for when its ledger cannot grow.
const disk = "disk"
