package monitor

import "github.com/provenir/provenir/ledger"

// Pass takes the next event without its payload, which was erased: it is counted, and nothing is concluded from it.
func (m *Monitor) Pass(seq uint64, t ledger.RecordType) {
	if seq < m.stats.Next {
		return
	}
	m.stats.Next, m.stats.LastType = seq+1, t
	if t == ledger.Step {
		m.stats.Steps++
	}
}
