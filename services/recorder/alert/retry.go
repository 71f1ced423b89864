package alert

import "time"

const (
	firstWait = time.Second
	longWait  = 5 * time.Minute
	giveUp    = 24 * time.Hour
	askedMost = time.Hour // longest Retry-After that is kept to
)

// backoff is the wait after a number of failed tries: 1 s, doubled, up to 5 min, of which half is random in [0, 1), so that
// many senders do not come back together.
func backoff(tries int, random float64) time.Duration {
	d := longWait
	if tries < 10 {
		d = min(firstWait<<max(tries-1, 0), longWait)
	}
	return max(d/2+time.Duration(float64(d/2)*random), firstWait)
}

// breaker stops calls to a sink that fails whatever it is given. Without it every new message would begin again with short
// waits. After the wait one message is the probe.
type breaker struct {
	failures int
	until    time.Time
}

const breakAfter = 5 // failures in a row

func (b *breaker) failed(now time.Time, random float64) {
	if b.failures++; b.failures >= breakAfter {
		b.until = now.Add(backoff(b.failures+1, random))
	}
}

func (b *breaker) worked() { *b = breaker{} }

func (b *breaker) open(now time.Time) bool { return now.Before(b.until) }
