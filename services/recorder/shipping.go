package recorder

import (
	"math/rand/v2"

	"github.com/provenir/provenir/services/recorder/ship"
)

// newShipper makes what copies sealed segments to another store; nil where none is configured.
func (s *Service) newShipper() (*ship.Shipper, error) {
	if s.d.Copies == nil {
		return nil, nil
	}
	counts, err := ship.NewCounts(s.d.Metrics)
	if err != nil {
		return nil, err
	}
	var blobs ship.Blobs
	if s.d.Blobs != nil {
		blobs = s.d.Blobs
	}
	return ship.New(s.cfg.Ship, ship.Deps{Blobs: blobs, Disk: s.d.Disk, Logs: s.store, Remote: s.d.Copies, Clock: s.d.Clock, Counts: counts,
		Random: rand.Float64, Log: s.d.Log})
}
