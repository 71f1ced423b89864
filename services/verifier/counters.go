package verifier

import (
	"fmt"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
)

// counters are what a verifier counts. Reasons of verdicts are few and fixed, so they may be labels; a program's own
// reason, which a user names, is counted under the part that is ours.
type counters struct {
	verdicts *prometheus.CounterVec // nil counts nothing
	queued   prometheus.Histogram
	took     *prometheus.HistogramVec
	known    *sync.Map // labels to counter, verifier to histogram: looking them up costs more than a text verdict
}

func newCounters(reg prometheus.Registerer) (counters, error) {
	if reg == nil {
		return counters{}, nil
	}
	buckets := prometheus.ExponentialBuckets(1e-6, 8, 8) // 1 µs to 2 s
	c := counters{
		verdicts: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "provenir_verdicts_total",
			Help: "Verdicts by verifier, status and reason."}, []string{"verifier", "status", "reason"}),
		queued: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "provenir_verdict_queue_seconds",
			Help: "Time from arrival to the beginning of the judgement.", Buckets: buckets}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "provenir_verdict_seconds",
			Help: "Time of the judgement.", Buckets: buckets}, []string{"verifier"}),
		known: &sync.Map{},
	}
	for _, m := range []prometheus.Collector{c.verdicts, c.queued, c.took} {
		if err := reg.Register(m); err != nil {
			return counters{}, fmt.Errorf("verifier: register its metrics: %w", err)
		}
	}
	return c, nil
}

type labels struct{ verifier, status, reason string }

func labelsOf(verifier string, m *corev1.Verdict) labels {
	l := labels{verifier, "scored", m.GetReason()}
	if u := m.GetUnscored(); u != nil {
		l.status, l.reason = "unscored", unscoredName(u.GetReason())
	}
	l.reason, _, _ = strings.Cut(l.reason, ":")
	return l
}

func unscoredName(r corev1.UnscoredReason) string {
	return strings.ToLower(strings.TrimPrefix(r.String(), "UNSCORED_REASON_"))
}

func (c *counters) verdict(verifier string, m *corev1.Verdict) {
	if c.verdicts == nil {
		return
	}
	l := labelsOf(verifier, m)
	n, ok := c.known.Load(l)
	if !ok {
		n, _ = c.known.LoadOrStore(l, c.verdicts.WithLabelValues(l.verifier, l.status, l.reason))
	}
	if n, ok := n.(prometheus.Counter); ok {
		n.Inc()
	}
}

func (c *counters) times(verifier string, m *corev1.Measured) {
	if c.verdicts == nil {
		return
	}
	c.queued.Observe(m.GetQueued().AsDuration().Seconds())
	h, ok := c.known.Load(verifier)
	if !ok {
		h, _ = c.known.LoadOrStore(verifier, c.took.WithLabelValues(verifier))
	}
	if h, ok := h.(prometheus.Observer); ok {
		h.Observe(m.GetTook().AsDuration().Seconds())
	}
}
