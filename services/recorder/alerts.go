package recorder

import (
	"math/rand/v2"
	"os"

	"github.com/provenir/provenir/services/recorder/alert"
)

// newAlerter makes the workers of the sinks. They see anomalies in the tables, as lists do, and nothing waits for them.
func (s *Service) newAlerter() (*alert.Alerter, error) {
	env := s.d.Env
	if env == nil {
		env = os.LookupEnv
	}
	counts := alert.Counts{}
	if len(s.cfg.Sinks) > 0 {
		var err error
		if counts, err = alert.NewCounts(s.d.Metrics); err != nil {
			return nil, err
		}
	}
	return alert.New(s.cfg.Sinks, alert.Deps{DB: s.d.DB, News: s.taken.wait, Env: env, Random: rand.Float64, Clock: s.d.Clock, Log: s.d.Log, Counts: counts})
}
