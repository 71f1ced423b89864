package alert

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// Counts are what is measured of the sinks. The zero value counts nothing.
type Counts struct {
	sentTotal, failedTotal  *prometheus.CounterVec
	waitingNow, deadLetters *prometheus.GaugeVec
}

// NewCounts registers the metrics; without a registry nothing is counted.
func NewCounts(reg prometheus.Registerer) (Counts, error) {
	if reg == nil {
		return Counts{}, nil
	}
	by := []string{"sink"}
	c := Counts{
		sentTotal:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "provenir_alerts_sent_total", Help: "Calls that a sink took, a digest as one."}, by),
		failedTotal: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "provenir_alert_failures_total", Help: "Calls that a sink did not take and that are tried again."}, by),
		waitingNow:  prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "provenir_alerts_waiting", Help: "Alerts in the queue of a sink, counted up to 100."}, by),
		deadLetters: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "provenir_alert_dead_letters", Help: "Alerts that were given up, or that a sink refused for good."}, by),
	}
	for _, m := range []prometheus.Collector{c.sentTotal, c.failedTotal, c.waitingNow, c.deadLetters} {
		if err := reg.Register(m); err != nil {
			return Counts{}, fmt.Errorf("alerts: register their metrics: %w", err)
		}
	}
	return c, nil
}

func (c Counts) sent(sink string) {
	if c.sentTotal != nil {
		c.sentTotal.WithLabelValues(sink).Inc()
	}
}

func (c Counts) failed(sink string) {
	if c.failedTotal != nil {
		c.failedTotal.WithLabelValues(sink).Inc()
	}
}

func (c Counts) waiting(sink string, n int) {
	if c.waitingNow != nil {
		c.waitingNow.WithLabelValues(sink).Set(float64(n))
	}
}

func (c Counts) dead(sink string, n int) {
	if c.deadLetters != nil {
		c.deadLetters.WithLabelValues(sink).Set(float64(n))
	}
}
