// Package puzzle judges the answers of task packs that have many right answers: an expression that reaches a target, a
// pattern that separates strings. Nothing is evaluated but integers and the four operations, exactly.
package puzzle
