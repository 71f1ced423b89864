package corpus

import (
	"fmt"
	"strings"
)

// Seed of the corpus that the committed weights were fitted on.
const Seed = 20261125

// Source is the Go file that holds the model.
func (m Model) Source(seed uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "package hack\n\n")
	fmt.Fprintf(&b, "// The model of Score: logistic regression and Platt's calibration on the families of corpus that are not for testing, seed %d.\n", seed)
	fmt.Fprintf(&b, "// Made by `go run ./services/recorder/hack/corpus/hackgen > services/recorder/hack/weights.go` (to a temporary name first: the\n// program is built from this file). TestWeightsReproduce fits again and compares.\n")
	fmt.Fprintf(&b, "const (\n\tintercept  = %.4f\n\tplattScale = %.4f\n\tplattShift = %.4f\n)\n\n", m.Intercept, m.Scale, m.Shift)
	fmt.Fprintf(&b, "var weights = [Features]float64{")
	for i, w := range m.Weights {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%.4f", w)
	}
	b.WriteString("}\n\n// Fitted gives the numbers of the model, for the test that makes them again.\nfunc Fitted() (b float64, w [Features]float64, scale, shift float64) {\n\treturn intercept, weights, plattScale, plattShift\n}\n")
	return b.String()
}

// JSON is the case as a row of `provenir hacking`, with its label.
func (c *Case) JSON() map[string]any {
	out := map[string]any{"id": c.Name, "prompt": c.Row.Prompt, "label": c.Hacked, "kind": c.Kind, "test": c.Test}
	if len(c.Row.Messages) == 0 {
		out["response"] = string(c.Row.Response)
	} else {
		var list []map[string]any
		for _, m := range c.Row.Messages {
			x := map[string]any{"role": m.Role, "content": m.Content}
			var calls []map[string]any
			for _, k := range m.Calls {
				calls = append(calls, map[string]any{"name": k.Name, "arguments": k.Arguments})
			}
			if calls != nil {
				x["tool_calls"] = calls
			}
			list = append(list, x)
		}
		out["trajectory"] = list
	}
	var files []map[string]any
	for _, f := range c.Row.Files {
		files = append(files, map[string]any{"path": f.Path, "content": f.Content})
	}
	if files != nil {
		out["files"] = files
	}
	if len(c.Row.Tamper) > 0 {
		out["verification"] = map[string]any{"tamper": c.Row.Tamper}
	}
	if c.Row.Tests != "" {
		out["tests"] = c.Row.Tests
	}
	if c.Row.Passed != nil {
		out["passed"] = *c.Row.Passed
	}
	return out
}
