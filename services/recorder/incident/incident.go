// Package incident turns signals into a few incidents: it opens one after enough breaches in a row, escalates it, says
// now and then that it goes on, and ends it. A run with one fault has one incident, not one finding a step for ever.
//
// The package is pure. Steps are its only clock, so a replay gives the same events with the same uids.
package incident

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"github.com/provenir/provenir/services/recorder/detect"
)

// What happened to an incident. The numbers are those of the contract.
type What uint8

// Events of an incident.
const (
	Open     What = 1
	Escalate What = 2
	Update   What = 3
	Resolve  What = 4
)

// String is the upper-case word that goes into uids.
func (w What) String() string {
	switch w {
	case Open:
		return "OPEN"
	case Escalate:
		return "ESCALATE"
	case Update:
		return "UPDATE"
	case Resolve:
		return "RESOLVE"
	}
	return "UNKNOWN"
}

// Event is one finding.
type Event struct {
	UID      string
	Incident string
	What     What
	Kind     string
	Metric   string
	Severity detect.Severity
	Seq      uint64 // of the event record that showed it
	Step     uint64
	Onset    uint64 // step where it began
	Attempt  uint32
	Detail   string
	Evidence detect.Evidence
}

// Place is where in the run signals were raised.
type Place struct {
	Seq     uint64
	Step    uint64
	Attempt uint32
}

var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// id hashes its parts, each with its length, so that no two lists of parts read the same.
func id(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s,", len(p), p)
	}
	return strings.ToLower(encoding.EncodeToString(h.Sum(nil)[:16]))
}

// detail is the finding in words.
func detail(s *detect.Signal) string {
	var b strings.Builder
	name, e := s.Metric, s.Evidence
	if name == "" {
		name = s.Kind
	}
	b.WriteString(name)
	if e.HasValue {
		fmt.Fprintf(&b, " is %.4g", e.Value)
	}
	var against []string
	if e.HasLimit {
		against = append(against, fmt.Sprintf("limit %.4g", e.Limit))
	}
	if e.HasBaseline {
		against = append(against, fmt.Sprintf("baseline %.4g", e.Baseline))
	}
	if len(against) > 0 {
		fmt.Fprintf(&b, " (%s)", strings.Join(against, ", "))
	}
	if e.Note != "" {
		b.WriteString(": " + e.Note)
	}
	return b.String()
}
