package rules

import (
	"fmt"
	"math"
	"strings"

	"go.starlark.net/starlark"

	"github.com/provenir/provenir/services/verifier/verdict"
)

// read makes a verdict of what the program returned.
func (j *judge) read(out starlark.Value) verdict.Verdict {
	bad := func(format string, args ...any) verdict.Verdict {
		return verdict.Unscore(Name, verdict.BadSpec, "verify "+fmt.Sprintf(format, args...))
	}
	switch out := out.(type) {
	case starlark.Bool:
		if bool(out) {
			return verdict.Pass(Name, "accepted")
		}
		return verdict.Fail(Name, "rejected")
	case starlark.Int, starlark.Float:
		r, _ := starlark.AsFloat(out)
		return j.score(r, r >= j.threshold, "")
	case *starlark.Dict:
		return j.dict(out, bad)
	}
	return bad("returned a %s; want a bool, a number or a dict", out.Type())
}

func (j *judge) score(reward float64, passed bool, reason string) verdict.Verdict {
	word := "rejected"
	if passed {
		word = "accepted"
	}
	if reason != "" {
		word = "starlark:" + reason
	}
	return verdict.Score(Name, verdict.Scored{Reward: reward, Passed: passed && !math.IsNaN(reward), Reason: word}, verdict.Range{})
}

func (j *judge) dict(out *starlark.Dict, bad func(string, ...any) verdict.Verdict) verdict.Verdict {
	var reward *float64
	var passed *bool
	var reason string
	var findings []verdict.Finding
	size := 0
	for _, item := range out.Items() {
		key, ok := starlark.AsString(item[0])
		if !ok {
			return bad("returned a dict with a key that is no text")
		}
		switch key {
		case "reward":
			r, ok := starlark.AsFloat(item[1])
			if !ok {
				return bad("returned a reward that is no number")
			}
			reward = &r
		case "passed":
			b, ok := item[1].(starlark.Bool)
			if !ok {
				return bad("returned a passed that is no bool")
			}
			p := bool(b)
			passed = &p
		case "reason":
			if reason, ok = starlark.AsString(item[1]); !ok || !isReason(reason) {
				return bad("returned a reason that is not lower_snake, at most 64 letters")
			}
		case "findings":
			list, ok := item[1].(*starlark.List)
			if !ok {
				return bad("returned findings that are no list")
			}
			for i := range list.Len() {
				s, ok := starlark.AsString(list.Index(i))
				if size += len(s); !ok || size > maxResult {
					return bad("returned findings that are no texts, or more than %d bytes", maxResult)
				}
				findings = append(findings, verdict.Finding{Kind: "starlark", Severity: verdict.Info, Detail: verdict.Printable(s)})
			}
		default:
			return bad("returned a dict with the unknown key %q; known are reward, passed, reason, findings", key)
		}
	}
	switch {
	case reward == nil && passed == nil:
		return bad("returned a dict without reward and passed")
	case reward == nil:
		r := 0.0
		if *passed {
			r = 1
		}
		reward = &r
	case passed == nil:
		p := *reward >= j.threshold
		passed = &p
	}
	v := j.score(*reward, *passed, reason)
	v.Findings = append(v.Findings, findings...)
	return v
}

func isReason(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}
