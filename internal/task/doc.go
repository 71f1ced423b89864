// Package task makes problems whose answers are known: procedural task packs with held-out splits.
//
// A pack is a pure function (seed, index, setting) → instance. Its random stream is ChaCha8 seeded with
// SHA-256(pack, version, seed, index), so any instance can be made alone and in any order. The split follows from the
// content of an instance and not from the seed: no seed can put a test problem into training. The package knows nothing
// of verifiers; an instance names by text the specification that judges it.
package task
