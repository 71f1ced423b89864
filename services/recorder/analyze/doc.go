// Package analyze judges the log of any engine after the fact: rows of JSON in, incidents and a verdict out. The rules are
// those of a live run, package detect; what is here is reading: which engine wrote the log, what its keys mean, where a
// step is, which of two rewards is paid and which is true.
//
// It is pure: no file, no clock. A value that cannot be what its key says is a problem with line and key, and the other
// values of the row go on.
package analyze
