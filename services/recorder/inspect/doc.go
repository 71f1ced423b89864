// Package inspect looks at the rollouts of a run while it lives: which were hacked, which are degenerate, whether reward
// follows length, and whether one answer is given to all questions.
//
// It is pure: a function of the events that it is given. Given all of them it says the same on a repeat, so a gate may
// decide on it; given some of them, because there was no time for all, it says so by its counts. What is kept between two
// steps does not grow with a run. Sources: Wilson 1927; Spearman 1904 with mid-ranks for ties; Broder 1997 for the sketches.
package inspect
