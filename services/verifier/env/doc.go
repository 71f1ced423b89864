// Package env plays episodes: a task of several turns in which a policy calls tools and gives an answer in the end.
//
// An Environment is data and a function that makes worlds; a Session is one episode, an actor that whoever holds its
// stream drives with reset, step, state and close. What ends an episode and what is paid for it is decided here, from the
// final answer or from the world's own state, and never from what the policy says of itself. Tools, worlds and policy
// never see a reward. The package opens nothing and waits for nothing but tools, which have a limit.
package env
