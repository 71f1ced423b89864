// Package deeds brings what was done to a log (erasures, retention, legal holds, repairs, losses) into governance's audit log.
//
// The record in findings is the truth. Each becomes a row in the transaction that takes the findings over, and stays one: with
// the place of its audit entry, or with why it has none yet. So nothing is dropped while governance is away, and nothing is
// logged twice: a row's request id is its place in findings.
package deeds

import (
	"encoding/hex"
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/ledger"
)

// Types are the records of findings that are deeds.
var Types = []ledger.RecordType{ledger.Erasure, ledger.Retention, ledger.Hold, ledger.Repair, ledger.Gap}

// Of makes the audit event of a record; nil for one that is no deed.
func Of(run string, f *ledger.Frame) (*governancev1.AuditEvent, error) {
	e := &governancev1.AuditEvent{Service: "recorder", RunId: run, SubjectId: "run/" + run, Outcome: "done",
		SubjectDigest: "sha256:" + hex.EncodeToString(f.Digest[:])}
	details := map[string]any{"finding_seq": f.Seq}
	var err error
	switch f.Type {
	case ledger.Erasure:
		err = erasure(e, details, f.Stored)
	case ledger.Retention:
		err = retention(e, details, f.Stored)
	case ledger.Hold:
		err = hold(e, details, f.Stored)
	case ledger.Repair:
		err = repair(e, details, f.Stored)
	case ledger.Gap:
		err = loss(e, details, f.Stored)
	default:
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("finding %d of run %s: %w", f.Seq, run, err)
	}
	e.Details, err = json.Marshal(details) // keys of a map are sorted: the same record gives the same bytes
	return e, err
}

func erasure(e *governancev1.AuditEvent, details map[string]any, payload []byte) error {
	x := &recorderv1.Erasure{}
	if err := proto.Unmarshal(payload, x); err != nil {
		return err
	}
	e.Action, e.By, e.Happened = governancev1.AuditAction_AUDIT_ACTION_LEDGER_ERASE, x.GetBy(), x.GetAt()
	if !x.GetWholeRun() {
		e.SubjectId += "/group/" + hex.EncodeToString(x.GetGroupId())
	}
	details["records"], details["reason"] = x.GetRecords(), x.GetReason()
	return nil
}

func retention(e *governancev1.AuditEvent, details map[string]any, payload []byte) error {
	n, err := ledger.ParseRetentionNote(payload)
	if err != nil {
		return err
	}
	e.Action, e.By, e.Happened = governancev1.AuditAction_AUDIT_ACTION_LEDGER_RETIRE, n.By, timestamppb.New(n.At)
	e.SubjectId += "/" + n.Log
	details["rule"], details["segments"] = n.Rule, len(n.Segments)
	details["first_seq"], details["last_seq"] = n.Segments[0].FirstSeq, n.Segments[len(n.Segments)-1].LastSeq
	return nil
}

func hold(e *governancev1.AuditEvent, details map[string]any, payload []byte) error {
	n, err := ledger.ParseHoldNote(payload)
	if err != nil {
		return err
	}
	e.Action, e.By, e.Happened = governancev1.AuditAction_AUDIT_ACTION_LEDGER_LIFT, n.By, timestamppb.New(n.At)
	if n.Set {
		e.Action = governancev1.AuditAction_AUDIT_ACTION_LEDGER_HOLD
	}
	details["hold"], details["scope"], details["reason"] = n.Hold, n.Scope, n.Reason
	return nil
}

func repair(e *governancev1.AuditEvent, details map[string]any, payload []byte) error {
	n, err := ledger.ParseRepairNote(payload)
	if err != nil {
		return err
	}
	e.Action, e.By, e.Happened = governancev1.AuditAction_AUDIT_ACTION_LEDGER_REPAIR, n.By, timestamppb.New(n.At)
	e.SubjectId += "/" + n.Log
	details["segments"], details["blobs"] = n.Segments, n.Blobs
	return nil
}

func loss(e *governancev1.AuditEvent, details map[string]any, payload []byte) error {
	x := &recorderv1.Loss{}
	if err := proto.Unmarshal(payload, x); err != nil {
		return err
	}
	e.Action = governancev1.AuditAction_AUDIT_ACTION_LEDGER_LOSS
	e.SubjectId += "/" + ledger.Log(x.GetLog()).String()
	details["first_seq"], details["last_seq"] = x.GetFirstSeq(), x.GetLastSeq()
	return nil
}
