package sandbox

import "time"

// Job is a program to run.
type Job struct {
	Language string // python, bash, c, cpp, javascript, go, rust, java; empty is python
	Source   string
	Argv     []string // after the program's name
	Stdin    []byte
	Limits   Limits

	// SitePackages lets Python see the packages of its installation or virtual environment.
	SitePackages bool

	trees []string // that a compiler's job sees beside the others'

	Files   []File        // put into /box before it starts, and before it is compiled
	Fetch   []string      // paths below /box that are read when it has ended
	Compile time.Duration // wall time of compiling; 0 is 10 s
}

// Python is the language that the zygote speaks.
const Python = "python"

// Load is how a module of a session was loaded.
type Load struct {
	CompileError string  // the source does not compile; the text says why
	Raised       *Raised // running the module raised
	Gone         bool    // the process ended before it answered
	Malformed    string  // it answered against the protocol
}

// Raised is an exception as the candidate tells it.
type Raised struct {
	Name  string // of its class
	Base  string // of the nearest built-in class
	Text  string
	Errno int
}

// Answer is what a call gave.
type Answer struct {
	Value     any // plain.Value, where the call returned
	Raised    *Raised
	Missing   bool   // there is nothing of that name
	Gone      bool   // the process ended
	Malformed string // it answered against the protocol
}
