package exact

import "math/big"

// Budget counts limb operations. It is how a limit in time holds without a clock: the same answer takes the same count
// on every machine.
type Budget struct{ left int }

// NewBudget gives n limb operations.
func NewBudget(n int) *Budget { return &Budget{left: n} }

// Spend takes n; ErrWork when there is no more.
func (b *Budget) Spend(n int) error {
	if b.left -= n; b.left < 0 {
		return ErrWork
	}
	return nil
}

// limbs is what a number costs to touch.
func limbs(v *big.Rat) int { return 2 + (v.Num().BitLen()+v.Denom().BitLen())/64 }
