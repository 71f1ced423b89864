package stat

import (
	"math/rand/v2"
	"testing"
)

func BenchmarkTheilSen(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	y := make([]float64, 256)
	for i := range y {
		y[i] = r.NormFloat64()
	}
	for i := 0; b.Loop(); i++ {
		TheilSen(y[i%200 : i%200+20])
	}
}
