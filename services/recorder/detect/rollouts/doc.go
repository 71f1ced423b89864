// Package rollouts computes what detectors need of the rollouts themselves: whether reward follows length, and whether one
// answer is given to all questions. It sees rewards, lengths and texts, and gives two numbers with their counts, which go
// into detect.Inspected.
//
// It is pure and bounded: what is kept of a step does not grow with the number of its rollouts, and equal rollouts in
// equal order give equal numbers. Sources: Spearman 1904 with mid-ranks for ties; Broder 1997 for the sketches.
package rollouts
