package governance

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/governance/audit"
)

func event(n int) *governancev1.AuditEvent {
	return &governancev1.AuditEvent{Action: governancev1.AuditAction_AUDIT_ACTION_LEDGER_ERASE, SubjectId: "run/r/group/" + strconv.Itoa(n), RunId: "r", Outcome: "done",
		Service: "recorder", By: "owner", Happened: timestamppb.New(time.Unix(1_699_999_000, 0)), Details: []byte(`{"reason":"request of alice"}`)}
}

func (r *rig) audit(request string, e *governancev1.AuditEvent) (*governancev1.AppendAuditResponse, error) {
	return r.client.AppendAudit(context.Background(), &governancev1.AppendAuditRequest{Event: e, RequestId: request})
}

// checkProof checks a proof with the public tools alone, and gives the size of the tree.
func checkProof(t *testing.T, proof, vkey string, leaf []byte) int64 {
	t.Helper()
	head, signed, _ := strings.Cut(proof, "\n\n")
	lines := strings.Split(head, "\n")
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil || lines[0] != "c2sp.org/tlog-proof@v1" {
		t.Fatalf("%q, %v", proof, err)
	}
	var path tlog.RecordProof
	for _, line := range lines[2:] {
		b, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(b) != 32 {
			t.Fatalf("%q: %v", line, err)
		}
		path = append(path, tlog.Hash(b))
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := ledger.OpenCheckpoint([]byte(signed), audit.Origin, note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckRecord(path, int64(c.Size), c.Root, index, tlog.RecordHash(leaf)); err != nil {
		t.Errorf("entry %d of %d: %v", index, c.Size, err)
	}
	return int64(c.Size)
}

func TestAudit(t *testing.T) {
	r := newRig(t)
	const n = 11
	for i := range n {
		got, err := r.audit("q"+strconv.Itoa(i), event(i))
		if err != nil || got.GetIndex() != uint64(i) {
			t.Fatalf("%v, %v", got, err)
		}
	}
	for _, restarted := range []bool{false, true} {
		if restarted {
			r.start("")
		}
		list, err := r.client.ListAudit(t.Context(), &governancev1.ListAuditRequest{})
		if err != nil || len(list.GetEntries()) != n || list.NextIndex != nil {
			t.Fatalf("%v, %v", list, err)
		}
		for i, e := range list.GetEntries() {
			p, err := r.client.GetAuditProof(t.Context(), &governancev1.GetAuditProofRequest{Index: e.GetIndex()})
			if err != nil {
				t.Fatal(err)
			}
			if size := checkProof(t, p.GetTlogProof(), p.GetVkey(), e.GetLeaf()); size != n {
				t.Errorf("entry %d is proved under %d", i, size)
			}
			var leaf map[string]any
			if err := json.Unmarshal(e.GetLeaf(), &leaf); err != nil {
				t.Fatal(err)
			}
			if leaf["action"] != "ledger.erase" || leaf["by"] != "owner" || leaf["tenant"] == "" || leaf["actor"] == "" || leaf["time"] != "2023-11-14T22:13:20.000Z" || leaf["happened"] != "2023-11-14T21:56:40.000Z" {
				t.Errorf("leaf %d: %s", i, e.GetLeaf())
			}
			if bytes.Contains(e.GetLeaf(), []byte("alice")) {
				t.Errorf("the details are in leaf %d: %s", i, e.GetLeaf())
			}
		}
		again, err := r.audit("q3", event(3)) // also later: the time is the first one's
		if err != nil || again.GetIndex() != 3 {
			t.Errorf("the same again: %v, %v", again, err)
		}
		if _, err := r.audit("q3", event(4)); rpc.Reason(err) != "INVALID_ARGUMENT" {
			t.Errorf("another event under a request id: %v", err)
		}
		r.clock.Advance(time.Hour)
	}
	bare := &governancev1.AuditEvent{Action: governancev1.AuditAction_AUDIT_ACTION_LEDGER_LOSS} // a role may have nothing more to say
	if got, err := r.audit("bare", bare); err != nil || got.GetIndex() != n {
		t.Errorf("an event without details: %v, %v", got, err)
	}
	page, err := r.client.ListAudit(t.Context(), &governancev1.ListAuditRequest{FromIndex: 4, PageSize: 3})
	if err != nil || len(page.GetEntries()) != 3 || page.GetEntries()[0].GetIndex() != 4 || page.GetNextIndex() != 7 {
		t.Errorf("a page: %v, %v", page, err)
	}
	if _, err := r.client.GetAuditProof(t.Context(), &governancev1.GetAuditProofRequest{Index: n + 1}); rpc.Reason(err) != "INVALID_ARGUMENT" {
		t.Errorf("an entry that is none: %v", err)
	}
}

// Writers at once: each has its own entry, and one of the same request has one together.
func TestAuditAtOnce(t *testing.T) {
	r := newRig(t)
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			if _, err := r.audit("q"+strconv.Itoa(i%8), event(i%8)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	list, err := r.client.ListAudit(t.Context(), &governancev1.ListAuditRequest{})
	if err != nil || len(list.GetEntries()) != 8 {
		t.Errorf("%d entries, %v", len(list.GetEntries()), err)
	}
}

// Every checkpoint continues the one before it: what was logged once cannot be taken back unseen.
func TestAuditOnlyGrows(t *testing.T) {
	r := newRig(t)
	var before *tlog.Tree
	for i := range 9 {
		got, err := r.audit("q"+strconv.Itoa(i), event(i))
		if err != nil {
			t.Fatal(err)
		}
		_, signed, _ := strings.Cut(got.GetTlogProof(), "\n\n")
		c, err := ledger.ReadCheckpoint([]byte(signed))
		if err != nil || c.Size != uint64(i)+1 {
			t.Fatalf("%+v, %v", c, err)
		}
		if before != nil {
			reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
				out := make([]tlog.Hash, len(indexes))
				for k, at := range indexes {
					var b []byte
					if err := r.db.QueryRow(t.Context(), `SELECT hash FROM audit_nodes WHERE i = ?`, at).Scan(&b); err != nil {
						return nil, err
					}
					copy(out[k][:], b)
				}
				return out, nil
			})
			proof, err := tlog.ProveTree(int64(c.Size), before.N, reader)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckTree(proof, int64(c.Size), c.Root, before.N, before.Hash); err != nil {
				t.Errorf("%d leaves do not continue %d: %v", c.Size, before.N, err)
			}
		}
		before = &tlog.Tree{N: int64(c.Size), Hash: c.Root}
	}
}

func TestBadAudits(t *testing.T) {
	r := newRig(t)
	long := event(1)
	long.SubjectId = strings.Repeat("\x01", audit.MaxLeaf) // six bytes each in JSON
	if _, err := r.service.audit.Append(t.Context(), "q", audit.Event{SubjectID: long.GetSubjectId()}); !errors.Is(err, audit.ErrLeaf) {
		t.Errorf("a leaf that is too large: %v", err)
	}
	for name, change := range map[string]func(e *governancev1.AuditEvent) string{
		"no action":  func(e *governancev1.AuditEvent) string { e.Action = 0; return "q" },
		"no request": func(*governancev1.AuditEvent) string { return "" },
	} {
		e := proto.Clone(event(1)).(*governancev1.AuditEvent)
		request := change(e)
		if _, err := r.audit(request, e); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if list, err := r.client.ListAudit(t.Context(), &governancev1.ListAuditRequest{}); err != nil || len(list.GetEntries()) != 0 {
		t.Errorf("entries were made: %v, %v", list, err)
	}
}

// The key of the log may be under a passphrase: without it nothing is logged, and what was stays provable by its public half.
func TestAuditKeyIsLocked(t *testing.T) {
	r := newRig(t)
	r.start("secret words")
	first, err := r.audit("q0", event(0))
	if err != nil {
		t.Fatal(err)
	}
	if found, err := filepath.Glob(filepath.Join(r.dir, "keys", "audit.pem*")); err != nil || len(found) != 1 || !strings.HasSuffix(found[0], ".age") {
		t.Errorf("keys: %v, %v", found, err)
	}
	r.start("")
	if _, err := r.audit("q1", event(1)); rpc.Reason(err) != "KEY_LOCKED" {
		t.Errorf("%v", err)
	}
	vkey, err := os.ReadFile(filepath.Join(r.dir, "keys", "audit.vkey"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := r.client.ListAudit(t.Context(), &governancev1.ListAuditRequest{})
	if err != nil || len(list.GetEntries()) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	checkProof(t, first.GetTlogProof(), strings.TrimSpace(string(vkey)), list.GetEntries()[0].GetLeaf())
}
