// Package toolcall reads the tool calls of a response, in any of 23 formats that models and servers write, and judges
// them: by the functions' schemas, by the calls that were expected, or as the Berkeley Function-Calling Leaderboard does.
//
// A response holds calls, none, or something malformed. What cannot be read is malformed and never "no call": a
// leaderboard once credited broken calls as correct abstention (ShishirPatil/gorilla issue 1362). Nothing is evaluated;
// scanning is linear in the text. Formats are those of vLLM's tool parsers and of the providers' APIs.
package toolcall
