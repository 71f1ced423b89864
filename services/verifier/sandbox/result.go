package sandbox

import "time"

// Result is what happened to a job. It is no verdict.
type Result struct {
	Stdout, Stderr []byte
	Truncated      bool // stdout or stderr went over what is kept
	ExitCode       int  // 0 where Signal is not
	Signal         int
	Limit          Limit
	CompileError   string    // not empty where the source did not compile
	CompileLimit   Limit     // that ended the compiler
	Exception      string    // name of the exception that ended a Python program, as it says itself
	Leftover       bool      // other processes of the job were alive when its main one ended
	Files          []Fetched // of Job.Fetch, in its order, where the program was run
	Usage          Usage
	Tier           Tier
	Language       string
	Interpreter    string // version as the interpreter tells it
	Binary         string // SHA-256 of the interpreter's file; empty where no Python ran the program
}

// Usage is what a job took; it differs on every repeat.
type Usage struct {
	Wall, CPU time.Duration
	MaxRSS    int64 // bytes; of the largest process of the job
}
