// Package scripted makes environments of folders: environment.yaml says what the tools are, and a program beside it, in Starlark or
// in Python, what they do.
//
// A program keeps nothing between two calls. The state of an episode is a plain value that a tool is given and may change; the
// episode takes it back only from a call that ended well. So a tool that fails, hangs or is killed has changed nothing, whatever it
// wrote to variables or files on the way. Python runs in the sandbox, each call in a process of its own, forked from a warm
// interpreter: a policy that takes over a tool by its arguments has that one call, and neither the task's reference nor what judges.
package scripted
