package holdout

import (
	"fmt"
	"math"
	"testing"
)

func TestDraw(t *testing.T) {
	tests := []struct {
		name     string
		fraction float64
		want     float64
	}{{"none of the zero value", 0, 0}, {"a tenth", .1, .1}, {"half", .5, .5}, {"all", 1, 1}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d Draw
			if tt.fraction > 0 {
				d = New(7, tt.fraction)
			}
			const n = 4000
			taken := 0
			for i := range n {
				if d.Takes(fmt.Sprintf("r%d", i)) {
					taken++
				}
			}
			if got := float64(taken) / n; math.Abs(got-tt.want) > 4*math.Sqrt(tt.want*(1-tt.want)/n) {
				t.Errorf("drew %.3f, want about %.2f", got, tt.want)
			}
		})
	}
}

func TestDrawRepeatsAndDependsOnTheSeed(t *testing.T) {
	a, again, other := New(1, .5), New(1, .5), New(2, .5)
	differ := false
	for i := range 100 {
		id := fmt.Sprintf("r%d", i)
		if a.Takes(id) != again.Takes(id) {
			t.Fatalf("%s is drawn once and not again", id)
		}
		differ = differ || a.Takes(id) != other.Takes(id)
	}
	if !differ {
		t.Error("two seeds draw the same rollouts")
	}
}

// What a smaller fraction takes, a larger one takes too: raising it never loses a rollout that was watched.
func TestDrawGrows(t *testing.T) {
	small, large := New(3, .2), New(3, .6)
	for i := range 500 {
		if id := fmt.Sprintf("r%d", i); small.Takes(id) && !large.Takes(id) {
			t.Fatalf("%s was lost", id)
		}
	}
}

func TestStandardError(t *testing.T) {
	if got := StandardError(.2, 100); math.Abs(got-.04) > 1e-12 {
		t.Errorf("%v, want 0.04", got)
	}
	if !math.IsNaN(StandardError(.2, 0)) {
		t.Error("no draws have a standard error")
	}
}
