// Package spool reads provenir.track/v1: the rows that a tracker writes of a training loop that is not ours, one JSON
// object a row. A tracker sends them to the recorder, or spools them as lines of a file when it has none.
//
// A row is one record of the log events, and its seq is the record's. The first row of a run is open. A row resume is no
// record: it says that another process goes on, and under which epoch. Numbers that are not finite are the strings NaN,
// Infinity and -Infinity; a metric without a value is left out. A member that a row of its type does not have is an error,
// so that nothing is read past.
package spool
