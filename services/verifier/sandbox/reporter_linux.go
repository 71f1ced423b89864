package sandbox

import "context"

// Report says what the machine offers.
func (p *Pool) Report(ctx context.Context) (*Report, error) {
	m, err := p.look(ctx)
	if err != nil {
		return nil, err
	}
	return &Report{Tier: m.tier, MinTier: p.cfg.MinTier}, nil
}
