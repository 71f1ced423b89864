// Package tracked shows the runs of trackers as runs among others. It is pure: what the recorder knows goes in, what people
// see comes out. What nobody knows of such a run (a seed, a dataset, a verifier, gates) stays absent.
package tracked

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/idgen"
)

// Named tells whether a uid, or a prefix of one, can only be a tracked run's: their uids begin with a bit that no other has.
func Named(name string) bool {
	if name == "" || len(name) > 26 {
		return false
	}
	return idgen.Tracked(name + strings.Repeat("0", 26-len(name)))
}

// states of trackers as people see them among all others.
var states = map[recorderv1.TrackedState]orchestratorv1.RunState{
	recorderv1.TrackedState_TRACKED_STATE_WRITING:    orchestratorv1.RunState_RUN_STATE_RUNNING,
	recorderv1.TrackedState_TRACKED_STATE_SILENT:     orchestratorv1.RunState_RUN_STATE_SILENT,
	recorderv1.TrackedState_TRACKED_STATE_COMPLETED:  orchestratorv1.RunState_RUN_STATE_SUCCEEDED,
	recorderv1.TrackedState_TRACKED_STATE_BROKEN:     orchestratorv1.RunState_RUN_STATE_FAILED,
	recorderv1.TrackedState_TRACKED_STATE_UNREADABLE: orchestratorv1.RunState_RUN_STATE_UNREADABLE,
}

// Ended tells whether nothing more comes.
func Ended(s recorderv1.TrackedState) bool {
	return s != recorderv1.TrackedState_TRACKED_STATE_WRITING && s != recorderv1.TrackedState_TRACKED_STATE_SILENT
}

// Wanted turns the filters of a list of runs into the recorder's. none: no tracked run can be among those wanted.
func Wanted(in []orchestratorv1.RunState, algorithms []trainerv1.Algorithm) (out []recorderv1.TrackedState, methods []string, none bool) {
	for from, to := range states {
		if slices.Contains(in, to) {
			out = append(out, from)
		}
	}
	slices.Sort(out)
	for _, a := range algorithms {
		methods = append(methods, methodOf(a))
	}
	return out, methods, len(in) > 0 && len(out) == 0
}

func methodOf(a trainerv1.Algorithm) string {
	return strings.ToLower(strings.TrimPrefix(a.String(), "ALGORITHM_"))
}

// algorithmOf is the algorithm of a method's name; unspecified where none has it.
func algorithmOf(method string) trainerv1.Algorithm {
	return trainerv1.Algorithm(trainerv1.Algorithm_value["ALGORITHM_"+strings.ToUpper(method)])
}

// Run shows a tracked run.
func Run(tenant string, r *recorderv1.TrackedRun) *orchestratorv1.Run {
	out := &orchestratorv1.Run{Name: "tenants/" + tenant + "/runs/" + r.GetRun(), Uid: r.GetRun(), State: states[r.GetState()], Tracked: r,
		Spec: &orchestratorv1.RunSpec{DisplayName: r.GetName(), Algorithm: algorithmOf(r.GetMethod()),
			Recorder: &recorderv1.RecorderSpec{Method: r.GetMethod(), Model: r.GetModel(), Privacy: r.GetPrivacy()}},
		Progress: &orchestratorv1.Progress{Step: r.GetSteps()}, CreateTime: r.GetCreateTime(), EndTime: r.GetEndTime(), Warnings: warnings(r)}
	return out
}

func warnings(r *recorderv1.TrackedRun) []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	switch r.GetState() {
	case recorderv1.TrackedState_TRACKED_STATE_SILENT:
		add("the run has no end: its tracker was killed, or is silent")
	case recorderv1.TrackedState_TRACKED_STATE_UNREADABLE:
		add("how the run ended cannot be read: the record was erased or is damaged")
	case recorderv1.TrackedState_TRACKED_STATE_BROKEN:
		switch r.GetError() {
		case Abandoned:
			add("the run had no end and was ended in its tracker's place")
		case "":
			add("the tracked loop ended before its work was done")
		default:
			add("the tracked loop ended with %s", r.GetError())
		}
	}
	if n := r.GetDropped(); n > 0 {
		add("%d rows were logged and could not be recorded", n)
	}
	if n := r.GetInvalid(); n > 0 {
		add("%d values were logged that are no numbers; they are left out", n)
	}
	return out
}

// Sealed adds what the seals of a run say: its final checkpoint and, where one was issued, its passport.
func Sealed(r *orchestratorv1.Run, logs []*recorderv1.LogCheckpoint, p *governancev1.Passport) {
	for _, l := range logs {
		if l.GetLog() == recorderv1.Log_LOG_EVENTS {
			r.LedgerCheckpoint, r.EventsRoot = l.GetNote(), l.GetRoot()
		}
	}
	r.Passport, r.PassportFolder = p.GetDigest(), p.GetFolder()
}

// Evaluation reads a record EVAL. Its numbers were measured by the caller, and say so.
func Evaluation(payload []byte) (*evaluatorv1.Evaluation, error) {
	e := &evaluatorv1.Evaluation{}
	return e, proto.Unmarshal(payload, e)
}
