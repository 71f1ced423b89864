package monitor

import (
	"fmt"
	"math"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/services/recorder/metric"
)

func scored(id string, reward float64) []byte {
	return marshal(&corev1.Verdict{RolloutId: id, Verdict: &corev1.Verdict_Scored{Scored: &corev1.Scored{Reward: reward}}})
}

func unscored(id string) []byte {
	return marshal(&corev1.Verdict{RolloutId: id, Verdict: &corev1.Verdict_Unscored{Unscored: &corev1.Unscored{}}})
}

func marshal(m proto.Message) []byte {
	b, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return b
}

func TestChannel(t *testing.T) {
	tests := []struct {
		name          string
		first, second [][]byte
		p, h          float64
		n             uint64
	}{
		{"all drawn", [][]byte{scored("a", 1), scored("b", 0), scored("c", 1)}, [][]byte{scored("a", 0), scored("b", 0), scored("c", 1)}, 2. / 3, 1. / 3, 3},
		{"some drawn: the paid mean is theirs", [][]byte{scored("a", 1), scored("b", 0), scored("c", 1)}, [][]byte{scored("a", 0), scored("c", 1)}, 1, .5, 2},
		{"an unscored second verdict is no 0", [][]byte{scored("a", 1), scored("b", 1)}, [][]byte{unscored("a"), scored("b", 1)}, 1, 1, 1},
		{"an unscored first one neither", [][]byte{unscored("a"), scored("b", 1)}, [][]byte{scored("a", 1), scored("b", 0)}, 1, 0, 1},
		{"another order", [][]byte{scored("a", 1), scored("b", 0)}, [][]byte{scored("b", 1), scored("a", 0)}, .5, .5, 2},
		{"a row that nobody knows", [][]byte{scored("a", 1)}, [][]byte{scored("x", 1)}, 0, 0, 0},
		{"a reward that is no number", [][]byte{scored("a", math.NaN())}, [][]byte{scored("a", 1)}, 0, 0, 0},
		{"no second verdict", [][]byte{scored("a", 1)}, nil, 0, 0, 0},
		{"no verdict", nil, [][]byte{scored("a", 1)}, 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c channel
			for range 2 { // a step leaves nothing to the next
				for _, b := range tt.first {
					v := peekVerdict(b)
					c.first(&v)
				}
				for _, b := range tt.second {
					v := peekVerdict(b)
					c.second(&v)
				}
				got, _ := c.values([]metric.Value{{Name: metric.HeldoutMean, X: 99}})
				if tt.n == 0 {
					if len(got) != 1 {
						t.Errorf("got %+v where nothing was compared", got)
					}
					continue
				}
				if len(got) != 2 || got[0].X != tt.p || got[1].X != tt.h || got[0].N != tt.n || got[1].N != tt.n {
					t.Errorf("got %+v, want %v and %v of %d", got, tt.p, tt.h, tt.n)
				}
			}
		})
	}
}

func BenchmarkChannel(b *testing.B) {
	const rows = 256
	var verdicts [rows][]byte
	for i := range verdicts {
		verdicts[i] = scored(fmt.Sprintf("rollout-%06d", i), 1)
	}
	b.ReportAllocs()
	var c channel
	for b.Loop() {
		for _, raw := range verdicts {
			v := peekVerdict(raw)
			c.first(&v)
		}
		for _, raw := range verdicts {
			v := peekVerdict(raw)
			c.second(&v)
		}
		c.values(nil)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}
