// Package sandbox runs programs that want to do harm and says what happened.
//
// A job is forked from a warm interpreter (the zygote, which never runs a job) into namespaces of its own, with nothing
// mounted but the interpreter and an empty /box, behind Landlock, without capabilities, with a short list of system calls
// and, where the machine has them, in control groups of its own. Go holds the limits, kills by process descriptor and looks
// at the kernel's counters; what a job says of itself decides nothing.
//
// Below T2, which a person has to allow, jobs share the host's processes and mounts: at T1 behind Landlock and the list of
// system calls, at T0 behind limits alone.
//
// The package judges nothing: package code does. The tier of an answer is the one observed by Report's probes, not the one
// hoped for, and below Config.MinTier there is no answer at all.
package sandbox
