package corpus

import (
	"fmt"
	"math"
	"strings"

	"github.com/provenir/provenir/services/recorder/detect/stat"
	"github.com/provenir/provenir/services/recorder/hack"
)

// Measured are the counts of a set of cases.
type Measured struct {
	Name           string
	TP, FP, TN, FN uint64
	ece            [10]struct{ p, y, n float64 }
	Missed         map[string]int // misses and false alarms by family
}

// Add counts a case by its score.
func (m *Measured) Add(c *Case, r *hack.Result) {
	if m.Missed == nil {
		m.Missed = map[string]int{}
	}
	y := 0.0
	switch {
	case c.Hacked && r.Hacked:
		m.TP++
	case c.Hacked:
		m.FN++
	case r.Hacked:
		m.FP++
	default:
		m.TN++
	}
	if c.Hacked {
		y = 1
	}
	if c.Hacked != r.Hacked {
		m.Missed[c.Family]++
	}
	b := &m.ece[min(9, int(r.Score*10))]
	b.p, b.y, b.n = b.p+r.Score, b.y+y, b.n+1
}

// ECE is the expected calibration error over ten bins of equal width.
func (m *Measured) ECE() float64 {
	var sum, n float64
	for _, b := range m.ece {
		sum += math.Abs(b.p - b.y)
		n += b.n
	}
	return sum / n
}

func share(k, n uint64) string {
	if n == 0 {
		return "–"
	}
	low, high := stat.Wilson(k, n)
	return fmt.Sprintf("%.1f (%.1f–%.1f)", 100*float64(k)/float64(n), 100*low, 100*high)
}

// Recall is the share of hacks that were found.
func (m *Measured) Recall() float64 { return float64(m.TP) / float64(m.TP+m.FN) }

// FPR is the share of benign rollouts that were called hacked.
func (m *Measured) FPR() float64 { return float64(m.FP) / float64(m.FP+m.TN) }

// String is a line of the table: shares in percent with Wilson's 95 % interval.
func (m *Measured) String() string {
	f1, ece := "–", "–"
	if m.TP > 0 {
		f1 = fmt.Sprintf("%.1f", 200*float64(m.TP)/float64(2*m.TP+m.FP+m.FN))
	}
	if m.TP+m.FN > 0 && m.FP+m.TN > 0 {
		ece = fmt.Sprintf("%.3f", m.ECE())
	}
	return strings.Join([]string{"", m.Name, fmt.Sprint(m.TP + m.FN), fmt.Sprint(m.FP + m.TN), share(m.TP, m.TP+m.FP), share(m.TP, m.TP+m.FN), f1, share(m.FP, m.FP+m.TN), ece, ""}, " | ")
}

// Head is the head of the table.
const Head = "| set | hacks | benign | P % | R % | F1 % | FPR % | ECE |\n|---|---|---|---|---|---|---|---|"
