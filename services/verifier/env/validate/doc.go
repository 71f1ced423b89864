// Package validate holds an environment to the rules of episodes: what a trainer relies on and rarely looks at.
//
// A Target is an environment of this service, or an OpenEnv server at an address (Remote). Every rule is tried by effect:
// episodes are played, dropped and played side by side. A rule that could not be tried is unchecked, and never held.
package validate
