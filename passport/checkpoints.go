package passport

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// ledger compares each final checkpoint with its note, and the note's signature with the log's key where one is given.
// It says nothing of the records: `provenir ledger verify` does, on the run's folder.
func (r *Result) ledger(s Statement, vkeys []string) {
	logs := s.Predicate.Ledger
	var known []note.Verifier
	for _, k := range vkeys {
		v, err := note.NewVerifier(k)
		if err != nil {
			r.add("ledger", Fails, fmt.Sprintf("the log's key %q: %v", k, err))
			return
		}
		known = append(known, v)
	}
	for _, name := range slices.Sorted(maps.Keys(logs)) {
		l := logs[name]
		if err := l.agrees(); err != nil {
			r.add("ledger", Fails, name+": "+err.Error())
			return
		}
		if len(known) == 0 {
			continue
		}
		if _, err := note.Open([]byte(l.Note), note.VerifierList(known...)); err != nil {
			r.add("ledger", Fails, name+": "+err.Error())
			return
		}
	}
	switch {
	case len(logs) == 0:
		r.optional("ledger", Unchecked, "the passport names no ledger")
	case len(known) == 0:
		r.optional("ledger", Unchecked, "no log key was given; the passport's signer vouches for the checkpoints")
	default:
		r.optional("ledger", Holds, fmt.Sprintf("%d checkpoints", len(logs)))
	}
}

func (r *Result) optional(name string, state State, detail string) {
	r.Checks = append(r.Checks, Check{Name: name, State: state, Detail: detail, Optional: true})
}

// agrees: what the fields say is what the note says, line by line (C2SP tlog-checkpoint).
func (l LedgerLog) agrees() error {
	root, err := hex.DecodeString(l.Root)
	if err != nil {
		return err
	}
	text := l.Origin + "\n" + l.Size + "\n" + base64.StdEncoding.EncodeToString(root) + "\n"
	if l.Origin == "" || strings.Contains(l.Origin, "\n") || !strings.HasPrefix(l.Note, text+"\n") {
		return fmt.Errorf("origin, size or root are not those of the signed checkpoint")
	}
	return nil
}
