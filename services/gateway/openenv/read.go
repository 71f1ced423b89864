package openenv

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/strictjson"
)

// maxMessage bounds what a client may send at once.
const maxMessage = 1 << 20

// limits of the JSON that clients send: a bomb of brackets or keys must cost no more than its bytes.
var limits = strictjson.Limits{Bytes: maxMessage, Depth: 64}

// members reads an object, whose values stay JSON. allowed are its keys.
func members(raw []byte, what string, allowed ...string) (map[string][]byte, *failure) {
	found, err := strictjson.Object(raw, limits)
	if err != nil && strictjson.Check(raw, limits) == nil {
		return nil, &failure{code: validationError, message: what + " is an object"}
	}
	if err != nil {
		return nil, &failure{code: invalidJSON, message: err.Error()}
	}
	out := make(map[string][]byte, len(found))
	for _, m := range found {
		known := false
		for _, a := range allowed {
			known = known || a == m.Key
		}
		if !known {
			return nil, &failure{code: validationError, message: fmt.Sprintf("%s has no key %.80q; allowed: %v", what, m.Key, allowed)}
		}
		out[m.Key] = m.Value
	}
	return out, nil
}

func null(raw []byte) bool { return raw == nil || string(raw) == "null" }

func text(m map[string][]byte, key string, most int) (string, *failure) {
	raw := m[key]
	if null(raw) {
		return "", nil
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return "", &failure{code: validationError, message: key + " is text"}
	}
	if len(s) > most {
		return "", &failure{code: validationError, message: fmt.Sprintf("%s has at most %d bytes", key, most)}
	}
	return s, nil
}

func number(m map[string][]byte, key string, bits int) (uint64, *failure) {
	raw := m[key]
	if null(raw) {
		return 0, nil
	}
	n, err := strconv.ParseUint(string(raw), 10, bits)
	if err != nil {
		return 0, &failure{code: validationError, message: key + " is a whole number, 0 or above"}
	}
	return n, nil
}

// resetKeys are what a reset may say.
var resetKeys = []string{"seed", "episode_id", "split", "difficulty", "credit"}

// readReset reads the parameters of a reset. A client that names no seed gets a random one, as in OpenEnv: a fixed one
// would let everybody train on one task without noticing.
func readReset(raw []byte, environment string) (*verifierv1.ResetEpisode, *failure) {
	if null(raw) {
		raw = []byte("{}")
	}
	m, bad := members(raw, "reset", resetKeys...)
	if bad != nil {
		return nil, bad
	}
	r := &verifierv1.ResetEpisode{Environment: environment}
	var difficulty uint64
	for _, step := range []func() *failure{
		func() (f *failure) { r.Seed, f = number(m, "seed", 64); return f },
		func() (f *failure) { r.EpisodeId, f = text(m, "episode_id", 128); return f },
		func() (f *failure) { r.Split, f = text(m, "split", 16); return f },
		func() (f *failure) { r.Credit, f = text(m, "credit", 32); return f },
		func() (f *failure) { difficulty, f = number(m, "difficulty", 16); return f },
	} {
		if bad := step(); bad != nil {
			return nil, bad
		}
	}
	if difficulty > 10 {
		return nil, &failure{code: validationError, message: "difficulty is 1 to 10"}
	}
	r.Difficulty = uint32(difficulty)
	if null(m["seed"]) {
		var b [8]byte
		if _, err := rand.Read(b[:]); err != nil {
			return nil, &failure{code: executionError, message: "no randomness for a seed"}
		}
		r.Seed = binary.BigEndian.Uint64(b[:]) >> 11 // a seed that JSON readers keep exactly
	}
	return r, nil
}

// readAction gives the action as the policy wrote it. {"text": …} is that; {"tool": …, "arguments": …} and OpenEnv's own
// {"type": "call_tool", "tool_name": …, "arguments": …} are written as a call. metadata is the client's and goes nowhere.
func readAction(raw []byte) ([]byte, *failure) {
	if null(raw) {
		return nil, &failure{code: validationError, message: "an action is needed"}
	}
	m, bad := members(raw, "an action", "text", "tool", "arguments", "type", "tool_name", "metadata")
	if bad != nil {
		return nil, bad
	}
	if !null(m["metadata"]) && m["metadata"][0] != '{' {
		return nil, &failure{code: validationError, message: "metadata is an object"}
	}
	name := m["tool"]
	if !null(m["type"]) || !null(m["tool_name"]) {
		if string(m["type"]) != `"call_tool"` || !null(name) {
			return nil, &failure{code: validationError, message: `an action of a type is {"type": "call_tool", "tool_name": …, "arguments": {…}}`}
		}
		name = m["tool_name"]
	}
	switch {
	case !null(m["text"]) == !null(name):
		return nil, &failure{code: validationError, message: `an action has either text or tool`}
	case null(name):
		if !null(m["arguments"]) {
			return nil, &failure{code: validationError, message: "arguments come with tool"}
		}
		s, bad := text(m, "text", maxMessage)
		return []byte(s), bad
	case name[0] != '"':
		return nil, &failure{code: validationError, message: "tool is text"}
	}
	arguments := m["arguments"]
	if null(arguments) {
		arguments = []byte("{}")
	}
	if arguments[0] != '{' {
		return nil, &failure{code: validationError, message: "arguments is an object"}
	}
	return Call(name, arguments), nil
}

// Call writes a call of a tool; both parts are JSON.
func Call(name, arguments []byte) []byte {
	out := make([]byte, 0, len(name)+len(arguments)+20)
	out = append(append(out, `{"tool":`...), name...)
	return append(append(append(out, `,"args":`...), arguments...), '}')
}
