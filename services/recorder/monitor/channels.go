package monitor

import (
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/metric"
)

// Channels gives what a monitor makes of a step's two verdicts to those that read a log again: proxy.mean and heldout.mean
// stand in no record.
type Channels struct{ c channel }

// Verdict takes a VERDICT or HELDOUT_VERDICT record, in the order of the log.
func (c *Channels) Verdict(t ledger.RecordType, payload []byte) {
	v := peekVerdict(payload)
	if t == ledger.HeldoutVerdict {
		c.c.second(&v)
	} else {
		c.c.first(&v)
	}
}

// Step adds both to a step's values, where both verifiers scored some of its rollouts, and forgets them.
func (c *Channels) Step(in []metric.Value) []metric.Value {
	out, _ := c.c.values(in)
	return out
}
