package ledger

import (
	"errors"
	"fmt"
	"strings"
)

// Log is one of the three logs of a run. Only Events is equal across equal runs: what depends on a clock or on a machine
// is kept in the other two.
type Log uint8

// The logs of a run. The numbers are in segment headers.
const (
	Events   Log = 1 // what the recorder was told, in the writer's order
	Findings Log = 2 // what it concluded, and what was done to the log
	Timing   Log = 3 // commit times, volatile fields, engine events
)

// Logs lists them in the order in which a seal names them.
var Logs = [...]Log{Events, Findings, Timing}

// String is the folder's name and the last part of the origin.
func (l Log) String() string {
	switch l {
	case Events:
		return "events"
	case Findings:
		return "findings"
	case Timing:
		return "timing"
	}
	return fmt.Sprintf("log-%d", uint8(l))
}

// ParseLog is the inverse of [Log.String] for the three known logs.
func ParseLog(name string) (Log, error) {
	for _, l := range Logs {
		if l.String() == name {
			return l, nil
		}
	}
	return 0, fmt.Errorf("ledger: no log is named %q; use events, findings or timing", name)
}

// originPrefix binds a checkpoint to this format and product.
const originPrefix = "provenir.dev/ledger/"

// Origin is the first line of a log's checkpoints. No frame holds the run's name, so this line is what binds a tree to
// its run: the same records under another origin are another log.
func Origin(tenant, run string, log Log) string {
	return originPrefix + tenant + "/" + run + "/" + log.String()
}

// ErrOrigin tells that a line is not the origin of one of our logs.
var ErrOrigin = errors.New("ledger: not an origin of the form provenir.dev/ledger/<tenant>/<run>/<log>")

// ParseOrigin splits an origin into its parts.
func ParseOrigin(origin string) (tenant, run string, log Log, err error) {
	rest, ok := strings.CutPrefix(origin, originPrefix)
	if !ok {
		return "", "", 0, ErrOrigin
	}
	parts := strings.Split(rest, "/")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" {
		return "", "", 0, ErrOrigin
	}
	if log, err = ParseLog(parts[2]); err != nil {
		return "", "", 0, errors.Join(ErrOrigin, err)
	}
	return parts[0], parts[1], log, nil
}
