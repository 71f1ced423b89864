// Package audit is governance's log of who did what: a Merkle tree of RFC 6962 whose leaves are never changed, under signed
// checkpoints that anybody can check with the tools of golang.org/x/mod/sumdb.
//
// A leaf holds no details, only their HMAC under a salt of its own; details and salt lie beside the tree, so that they can
// be destroyed and every proof stays valid. Leaves, nodes and details are rows of one table set, written in one transaction
// with the request that they came by: the same request again is the same leaf.
package audit

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gowebpki/jcs"
)

// MaxLeaf bounds a leaf: the entries of C2SP tlog-tiles have a length of 16 bits.
const MaxLeaf = 8 << 10

// Event is what happened.
type Event struct {
	Tenant    string // of the credential
	Actor     string // of the credential: the role that reports it
	Service   string
	Action    string
	By        string // who asked the role for it
	SubjectID string
	Digest    string // of the subject, as sha256:<hex>; empty without one
	RunID     string
	Outcome   string
	Happened  time.Time // when, by the reporting role's clock
	Details   []byte    // JSON; not in the leaf
}

// leaf is the canonical JSON of RFC 8785, in the order in which it sorts.
type leaf struct {
	V        int     `json:"v"`
	Time     string  `json:"time"` // of the entry, by governance's clock
	Happened string  `json:"happened"`
	Actor    string  `json:"actor"`
	By       string  `json:"by"`
	Tenant   string  `json:"tenant"`
	Service  string  `json:"service"`
	Action   string  `json:"action"`
	Subject  subject `json:"subject"`
	RunID    string  `json:"runId"`
	Outcome  string  `json:"outcome"`
	Details  string  `json:"details"` // hmac-sha256:<hex>
}

type subject struct {
	ID     string `json:"id"`
	Digest string `json:"digest"`
}

// ErrLeaf tells that an event makes no leaf.
var ErrLeaf = errors.New("audit: the event makes no leaf")

// encode makes the leaf of an event and the salt of its details.
func encode(e Event, now time.Time) (b, salt []byte, err error) {
	salt = make([]byte, 32)
	if _, err := rand.Read(salt); err != nil {
		return nil, nil, err
	}
	b, err = json.Marshal(leaf{V: 1, Time: stamp(now), Happened: stamp(e.Happened), Actor: e.Actor, By: e.By, Tenant: e.Tenant, Service: e.Service, Action: e.Action,
		Subject: subject{e.SubjectID, e.Digest}, RunID: e.RunID, Outcome: e.Outcome, Details: "hmac-sha256:" + hex.EncodeToString(seal(salt, e.Details))})
	if err == nil {
		b, err = jcs.Transform(b)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrLeaf, err)
	}
	if len(b) > MaxLeaf {
		return nil, nil, fmt.Errorf("%w: it has %d bytes, at most %d", ErrLeaf, len(b), MaxLeaf)
	}
	return b, salt, nil
}

func seal(salt, details []byte) []byte {
	h := hmac.New(sha256.New, salt)
	h.Write(details)
	return h.Sum(nil)
}

func stamp(t time.Time) string {
	if t.IsZero() { // the role does not say when
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// digest is what two tellings of one event share: all but governance's own time and salt.
func (e Event) digest() []byte {
	h := sha256.New()
	for _, part := range []string{e.Tenant, e.Actor, e.Service, e.Action, e.By, e.SubjectID, e.Digest, e.RunID, e.Outcome, stamp(e.Happened), string(e.Details)} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return h.Sum(nil)
}
