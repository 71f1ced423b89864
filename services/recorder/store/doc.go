// Package store writes and reads a run's three logs: the truth of the recorder.
//
// One goroutine a log commits: records that arrive while one batch is synced are encoded into the next, so a sync covers
// as many records as came meanwhile. A record is acknowledged when fdatasync has returned for it, and never before.
//
// The store knows record types by number only. It decodes no payload, keeps no list of records (the tree is a compact
// range, tiles and indexes are files), and everything but the segments can be deleted and comes back.
package store
