//go:build race

package enginelog

// raced tells that the race detector is in this program; its shadow memory is larger than any bound.
const raced = true
