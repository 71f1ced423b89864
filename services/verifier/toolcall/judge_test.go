package toolcall

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

func judgeOf(t testing.TB, options map[string]any) verdict.Judge {
	t.Helper()
	d := Descriptor()
	v, err := d.Resolve(Name, options)
	if err != nil {
		t.Fatal(err)
	}
	j, err := New(Name, v)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func hermesCalls(bodies ...string) string {
	var out strings.Builder
	for _, b := range bodies {
		out.WriteString("<tool_call>" + b + "</tool_call>")
	}
	return out.String()
}

const (
	bern  = `{"name":"get_weather","arguments":{"city":"Bern","days":3}}`
	basel = `{"name":"get_weather","arguments":{"city":"Basel","days":1}}`
	now   = `{"name":"now","arguments":{}}`
)

func TestJudge(t *testing.T) {
	tests := []struct {
		name     string
		options  map[string]any
		response string
		expected string // empty: no column
		reason   string
		reward   float64
	}{
		{"valid by the schema", nil, hermesCalls(bern), "", "calls_match", 1},
		{"unknown function", nil, hermesCalls(`{"name":"weather","arguments":{"city":"Bern"}}`), "", "wrong_name", 0},
		{"a required one is missing", nil, hermesCalls(`{"name":"get_weather","arguments":{"days":1}}`), "", "missing_required", 0},
		{"an undeclared one", nil, hermesCalls(`{"name":"get_weather","arguments":{"city":"Bern","zip":1}}`), "", "unexpected_param", 0},
		{"of another type", nil, hermesCalls(`{"name":"get_weather","arguments":{"city":1}}`), "", "type_error", 0},
		{"true is no integer", nil, hermesCalls(`{"name":"get_weather","arguments":{"city":"Bern","days":true}}`), "", "type_error", 0},
		{"wrong inside a list", nil, hermesCalls(`{"name":"get_weather","arguments":{"city":"Bern","at":["x"]}}`), "", "type_error", 0},
		{"expected", nil, hermesCalls(bern, now), "[" + now + "," + bern + "]", "calls_match", 1},
		{"expected in order", map[string]any{"order": "ordered"}, hermesCalls(bern, now), "[" + now + "," + bern + "]", "wrong_order", 0},
		{"equal calls in order", map[string]any{"order": "ordered"}, hermesCalls(now, now), "[" + now + "," + now + "]", "calls_match", 1},
		{"one too many", nil, hermesCalls(bern, bern), "[" + bern + "]", "wrong_count", 0},
		{"another value", nil, hermesCalls(basel), "[" + bern + "]", "value_error", 0},
		{"another function", nil, hermesCalls(now), "[" + bern + "]", "wrong_name", 0},
		{"1.0 equals 1", nil, hermesCalls(`{"name":"get_weather","arguments":{"city":"Basel","days":1.0}}`), "[" + basel + "]", "calls_match", 1},
		{"half of two", map[string]any{"partial": true}, hermesCalls(bern, basel), "[" + bern + "," + now + "]", "wrong_name", 0.5},
		{"one of two made", map[string]any{"partial": true}, hermesCalls(bern), "[" + bern + "," + now + "]", "wrong_count", 0.5},
		{"padding does not pay", map[string]any{"partial": true}, hermesCalls(bern, now, now, now), "[" + bern + "]", "wrong_count", 0.25},
		{"one_of", nil, hermesCalls(bern), `[{"name":"get_weather","arguments":{"city":{"$one_of":["Bern","Berne"]},"days":{"$near":{"value":2.9,"abs":0.2}}}}]`, "calls_match", 1},
		{"regex and any", nil, hermesCalls(bern), `[{"name":"get_weather","arguments":{"city":{"$regex":"B.*"},"days":{"$any":true},"at":{"$any":true}}}]`, "calls_match", 1},
		{"regex is whole", nil, hermesCalls(bern), `[{"name":"get_weather","arguments":{"city":{"$regex":"B"},"days":3}}]`, "value_error", 0},
		{"text", nil, hermesCalls(bern), `[{"name":"get_weather","arguments":{"city":{"$text":"b-E.rn"},"days":3}}]`, "calls_match", 1},
		{"subset", nil, hermesCalls(`{"name":"get_weather","arguments":{"city":"Bern","at":[3,1,2]}}`), `[{"name":"get_weather","arguments":{"city":"Bern","at":{"$subset":[1,3]}}}]`, "calls_match", 1},
		{"near misses", nil, hermesCalls(bern), `[{"name":"get_weather","arguments":{"city":"Bern","days":{"$near":{"value":4,"rel":0.1}}}}]`, "value_error", 0},
		{"strict", map[string]any{"mode": "strict"}, hermesCalls(`{"name":"f","arguments":{"a":1}}`), `[{"name":"f","arguments":{"a":1}}]`, "calls_match", 1},
		{"strict, one more argument", map[string]any{"mode": "strict"}, hermesCalls(`{"name":"f","arguments":{"a":1,"b":1}}`), `[{"name":"f","arguments":{"a":1}}]`, "unexpected_param", 0},
		{"none expected", map[string]any{"expect": "none"}, "No tool fits.", "", "no_call", 1},
		{"none expected, called", map[string]any{"expect": "none"}, hermesCalls(now), "", "unexpected_call", 0},
		{"none expected, broken", map[string]any{"expect": "none"}, "<tool_call>{", "", "malformed", 0},
		{"malformed expected", map[string]any{"expect": "malformed"}, "<tool_call>{", "", "malformed", 1},
		{"no call", nil, "I don't know.", "", "no_call", 0},
		{"broken", nil, "<tool_call>{", "", "malformed", 0},
		{"forbidden", map[string]any{"forbidden": []any{"now"}}, hermesCalls(now), "", "forbidden_tool", 0},
		{"ids", map[string]any{"unique_ids": true}, hermesCalls(`{"id":"a","name":"now","arguments":{}}`, `{"id":"a","name":"now","arguments":{}}`), "", "duplicate_id", 0},
		{"prose", map[string]any{"extra_prose": "forbid"}, "Sure: " + hermesCalls(now), "", "extra_prose", 0},
		{"bfcl", map[string]any{"mode": "bfcl"}, hermesCalls(`{"name":"get_weather","arguments":{"city":"BERN"}}`), `[{"get_weather":{"city":["Bern"],"days":["",3]}}]`, "calls_match", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			row := verdict.Row{{Key: "tools", JSON: []byte(toolList)}}
			if tt.expected != "" {
				row = append(row, verdict.Field{Key: "expected", JSON: []byte(tt.expected)})
			}
			v := judgeOf(t, tt.options).Judge(&verdict.Candidate{Response: tt.response, Row: row})
			s, scored := v.Scored()
			if !scored || s.Reason != tt.reason || math.Abs(s.Reward-tt.reward) > 1e-12 || s.Passed != (tt.reward == 1) {
				t.Errorf("%+v, want %s %v", v, tt.reason, tt.reward)
			}
		})
	}
}

func TestWeakStringMatch(t *testing.T) {
	row := verdict.Row{{Key: "tools", JSON: []byte(toolList)}, {Key: "expected", JSON: []byte(`[{"get_weather":{"city":["15"]}}]`)}}
	v := judgeOf(t, map[string]any{"mode": "bfcl"}).Judge(&verdict.Candidate{Response: hermesCalls(`{"name":"get_weather","arguments":{"city":"1.5"}}`), Row: row})
	if !v.Passed() || !v.Has("weak_string_match") {
		t.Errorf("%+v", v)
	}
}

func TestRowsThatCannotBeJudged(t *testing.T) {
	tests := []struct {
		name    string
		options map[string]any
		row     map[string]string
		reason  verdict.Reason
	}{
		{"no tools", nil, nil, verdict.BadRow},
		{"tools that are no list", nil, map[string]string{"tools": `{}`}, verdict.BadRow},
		{"a tool twice", nil, map[string]string{"tools": `[{"name":"a"},{"name":"a"}]`}, verdict.BadRow},
		{"a schema that does not compile", nil, map[string]string{"tools": `[{"name":"now","parameters":{"properties":{"a":{"type":"integr"}}}}]`}, verdict.BadRow},
		{"strict without expected", map[string]any{"mode": "strict"}, nil, verdict.BadReference},
		{"empty expected", nil, map[string]string{"tools": toolList, "expected": `[]`}, verdict.BadReference},
		{"expected of no form", nil, map[string]string{"tools": toolList, "expected": `[{"a":1,"b":2}]`}, verdict.BadReference},
		{"unknown matcher", nil, map[string]string{"tools": toolList, "expected": `[{"name":"get_weather","arguments":{"city":{"$like":"x"}}}]`}, verdict.BadReference},
		{"bad pattern", nil, map[string]string{"tools": toolList, "expected": `[{"name":"get_weather","arguments":{"city":{"$regex":"("}}}]`}, verdict.BadReference},
		{"bad expect", nil, map[string]string{"tools": toolList, "expect": `"maybe"`}, verdict.BadRow},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var row verdict.Row
			for k, v := range tt.row {
				row = append(row, verdict.Field{Key: k, JSON: []byte(v)})
			}
			response := hermesCalls(`{"name":"get_weather","arguments":{"city":"x"}}`)
			if strings.Contains(tt.row["tools"], `"now","parameters"`) && !strings.Contains(tt.row["tools"], "get_weather") {
				response = hermesCalls(now)
			}
			v := judgeOf(t, tt.options).Judge(&verdict.Candidate{Response: response, Row: row})
			if u, ok := v.Unscored(); !ok || u.Reason != tt.reason {
				t.Errorf("%+v, want %s", v, tt.reason)
			}
		})
	}
}

func TestSpecsThatAreRefused(t *testing.T) {
	d := Descriptor()
	for name, options := range map[string]map[string]any{
		"format": {"format": "nobody"}, "mode": {"mode": "loose"}, "tools": {"tools": []any{map[string]any{"x": 1.0}}},
		"schema of a tool": {"tools": []any{map[string]any{"name": "a", "parameters": map[string]any{"properties": map[string]any{"b": map[string]any{"type": "integr"}}}}}},
	} {
		v, err := d.Resolve(Name, options)
		if err == nil {
			_, err = New(Name, v)
		}
		var bad *spec.BadSpecError
		var schema *spec.SchemaError
		if !errors.As(err, &bad) && !errors.As(err, &schema) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNumbers(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{"1", "1.0", true}, {"1", "10e-1", true}, {"0", "-0.0", true}, {"0e999999999999", "0", true}, {"1e999999999999999999999", "1e999999999999999999998", true},
		{"12345678901234567890", "12345678901234567891", false}, {"1", "-1", false}, {"0.1", "0.10000000000000001", false}, {"100", "1e2", true}, {"true", "1", false},
	}
	for _, tt := range tests {
		a, errA := value([]byte(tt.a))
		b, errB := value([]byte(tt.b))
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if tt.a == "1e999999999999999999999" {
			continue // beyond any exponent that anybody means; only that it ends matters
		}
		if equal(a, b) != tt.want || equal(b, a) != tt.want {
			t.Errorf("%s = %s: %v", tt.a, tt.b, !tt.want)
		}
	}
}
