// Package ledger is the format of a run's log and everything a stranger needs to check one.
//
// A log is a folder of segment files. Each record is a frame that links to the one before it (a hash chain) and is a
// leaf of an RFC 6962 Merkle tree whose root is signed in a C2SP checkpoint. The chain says where a log was changed; the
// tree proves in log(n) hashes that a record is in it and that one checkpoint continues another.
//
// The package is pure: bytes in, values out. It writes no file, reads no clock and knows nothing of runs, steps or
// rewards, so that an auditor can embed it and check a plain copy of the folder with [Verify].
//
// Sources: RFC 6962 section 2.1 (tree, proofs), C2SP tlog-checkpoint, tlog-tiles, tlog-cosignature and signed-note.
package ledger
