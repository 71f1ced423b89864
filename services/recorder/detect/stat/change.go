package stat

import "math"

// Parameters of the change detectors. CUSUM: Page 1954; with k 0.5 and h 8 the one-sided average run length on
// independent normal data is about 19,000 steps by Siegmund's approximation (e^(2kb) − 2kb − 1)/2k², b = h + 1.166.
const (
	cusumSlack = 0.5
	CUSUMLimit = 8.0
	// Page–Hinkley, in spreads of the baseline: allowed drift a step and alarm height.
	phDrift = 0.5
	PHLimit = 12.0
	// EWMA: weight of the newest value and width of the limits (Roberts 1959).
	ewmaLambda = 0.2
	ewmaWidth  = 4.0
)

// CUSUM sums up standardised deviations to one side.
type CUSUM struct {
	S     float64 `json:"s"`
	Onset uint64  `json:"onset"` // the step after the last time that S was 0
}

// Add takes a deviation in spreads, positive in the direction of interest, at a step.
func (c *CUSUM) Add(z float64, step uint64) {
	if c.S == 0 {
		c.Onset = step
	}
	// One wild value counts as 4 spreads: the sum is for shifts, spikes have their own detectors. What was summed up over a
	// long fault must not outlast it for as long, so the sum stops at twice its limit.
	c.S = min(max(0, c.S+min(z, 4)-cusumSlack), 2*CUSUMLimit)
}

// Alarm tells whether the sum has passed its limit.
func (c *CUSUM) Alarm() bool { return c.S > CUSUMLimit }

// PageHinkley finds a slow drift upwards: the cumulated excess over the running mean.
type PageHinkley struct {
	N    uint64  `json:"n"`
	Mean float64 `json:"mean"`
	M    float64 `json:"m"`
	Min  float64 `json:"min"`
	From uint64  `json:"from"` // step of the minimum: where the drift began
}

// Add takes a value with the baseline's spread.
func (p *PageHinkley) Add(x, sigma float64, step uint64) {
	p.N++
	p.Mean += (x - p.Mean) / float64(p.N)
	p.M += x - p.Mean - phDrift*sigma
	if p.M < p.Min || p.N == 1 {
		p.Min, p.From = p.M, step+1
	}
}

// Height is the drift in spreads; the alarm is above PHLimit.
func (p *PageHinkley) Height(sigma float64) float64 { return (p.M - p.Min) / sigma }

// EWMA is an exponentially weighted mean.
type EWMA struct {
	E float64 `json:"e"`
	T uint64  `json:"t"`
}

// Add takes a value standardised by the baseline.
func (e *EWMA) Add(z float64) {
	e.E += ewmaLambda * (z - e.E)
	e.T++
}

// Limit is the distance from 0 that E keeps by chance.
func (e *EWMA) Limit() float64 {
	t := float64(2 * e.T)
	return ewmaWidth * math.Sqrt(ewmaLambda/(2-ewmaLambda)*(1-math.Pow(1-ewmaLambda, t)))
}
