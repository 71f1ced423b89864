package ship

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// Counts are what is measured of shipping. The zero value counts nothing.
type Counts struct {
	segments, bytes, deleted, tails, blobs prometheus.Counter
	failures                               *prometheus.CounterVec
	waiting                                prometheus.Gauge
}

// Reasons of a failure, as labels.
const (
	failedStore    = "store"    // the store did not answer, or refused; it is tried again
	failedConflict = "conflict" // the store holds other bytes under that name
	failedDamage   = "damage"   // the local file is not what it says it is
	failedLocal    = "local"    // the local disk
)

// NewCounts registers the metrics; without a registry nothing is counted.
func NewCounts(reg prometheus.Registerer) (Counts, error) {
	if reg == nil {
		return Counts{}, nil
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	c := Counts{
		segments: counter("provenir_ship_segments_total", "Sealed segments that the store took or was found to have."),
		bytes:    counter("provenir_ship_bytes_total", "Bytes of those segments."),
		deleted:  counter("provenir_ship_local_deleted_total", "Segments that were taken off the local disk after the store had shown that it has them."),
		tails:    counter("provenir_ship_tail_bytes_total", "Bytes of segments that were shipped piece by piece before they were sealed."),
		blobs:    counter("provenir_ship_blob_bytes_total", "Bytes of payloads outside of the logs that the store took."),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "provenir_ship_failures_total",
			Help: "Attempts that failed: store is tried again, conflict and damage need a person."}, []string{"reason"}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "provenir_ship_segments_waiting", Help: "Sealed segments that the store does not have yet."}),
	}
	for _, m := range []prometheus.Collector{c.segments, c.bytes, c.deleted, c.tails, c.blobs, c.failures, c.waiting} {
		if err := reg.Register(m); err != nil {
			return Counts{}, fmt.Errorf("ship: register the metrics: %w", err)
		}
	}
	return c, nil
}

func (c Counts) took(bytes int64) {
	if c.segments != nil {
		c.segments.Inc()
		c.bytes.Add(float64(bytes))
	}
}

func (c Counts) tail(bytes int) {
	if c.tails != nil {
		c.tails.Add(float64(bytes))
	}
}

func (c Counts) blob(bytes int64) {
	if c.blobs != nil {
		c.blobs.Add(float64(bytes))
	}
}

func (c Counts) freed() {
	if c.deleted != nil {
		c.deleted.Inc()
	}
}

func (c Counts) failed(reason string) {
	if c.failures != nil {
		c.failures.WithLabelValues(reason).Inc()
	}
}

func (c Counts) left(n int) {
	if c.waiting != nil {
		c.waiting.Set(float64(n))
	}
}
