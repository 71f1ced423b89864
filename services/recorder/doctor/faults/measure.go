package faults

import (
	"math"

	"github.com/provenir/provenir/services/recorder/doctor"
)

// Measured is how the doctor does on runs whose fault is known.
type Measured struct {
	Cases, Right, Sure, SureWrong int // sure is a confidence above 0.8
	ECE                           float64
	Faults                        map[string][2]int // right and all, by fault
}

// Measure asks the doctor about every case. The expected calibration error is over ten bins of confidence.
func Measure(cases []Case) (Measured, error) {
	m := Measured{Cases: len(cases), Faults: map[string][2]int{}}
	var n, right, said [10]float64
	for _, c := range cases {
		d, err := doctor.Diagnose(c.Input)
		if err != nil {
			return m, err
		}
		by := m.Faults[c.Fault]
		bin := min(int(d.Confidence*10), 9)
		n[bin]++
		said[bin] += d.Confidence
		if by[1]++; d.Category == c.Category {
			by[0]++
			m.Right++
			right[bin]++
		}
		m.Faults[c.Fault] = by
		if d.Confidence > 0.8 {
			m.Sure++
			if d.Category != c.Category {
				m.SureWrong++
			}
		}
	}
	for i := range n {
		m.ECE += math.Abs(right[i]-said[i]) / float64(len(cases))
	}
	return m, nil
}
