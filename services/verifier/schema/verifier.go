package schema

import (
	"bytes"
	"errors"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/provenir/provenir/internal/strictjson"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/text"
	"github.com/provenir/provenir/services/verifier/text/extract"
	"github.com/provenir/provenir/services/verifier/verdict"
)

type judge struct {
	fixed   *compiled // nil: each row brings its own
	cache   *cache
	fences  string
	assert  bool
	partial bool
	fields  verdict.Fields
}

// New makes a json_schema verifier. The error is a *spec.SchemaError or *spec.BadSpecError.
func New(path string, v spec.Values) (verdict.Judge, error) {
	j := &judge{cache: newCache(), fences: v.String("fences"), assert: v.String("formats") == "assert", partial: v.Flag("partial"), fields: text.FieldsOf(v)}
	raw, keys, types := v.String("schema"), v.Texts("required_keys"), v.String("types")
	if raw != "" && (len(keys) > 0 || types != "") {
		return nil, &spec.BadSpecError{Path: path, Field: "schema", Value: "beside required_keys or types", Allowed: "either a schema or the short form"}
	}
	if raw == "" && (len(keys) > 0 || types != "") {
		b, err := short(path, keys, types)
		if err != nil {
			return nil, err
		}
		raw = string(b)
	}
	if raw == "" {
		return j, nil
	}
	var err error
	j.fixed, err = compile(path, []byte(raw), j.assert)
	return j, err
}

// Judge passes for a document that the schema accepts.
func (j *judge) Judge(c *verdict.Candidate) verdict.Verdict {
	response, err := j.fields.Read(c)
	if err != nil {
		return verdict.Unscore(Name, verdict.BadRow, err.Error())
	}
	s := j.fixed
	if s == nil {
		raw, ok := c.Row.Get("schema")
		if !ok {
			return verdict.Unscore(Name, verdict.BadRow, "the row has no column schema, and the spec has none either")
		}
		if s, err = j.cache.get(raw, j.assert); err != nil {
			return verdict.Unscore(Name, verdict.BadRow, err.Error())
		}
	}
	doc, fail := j.document(response)
	if fail != "" {
		return verdict.Fail(Name, fail)
	}
	v := j.check(s, doc)
	v.Extracted = verdict.Printable(doc)
	return v
}

// document finds the JSON text in a response; fail is why it was refused.
func (j *judge) document(response string) (doc, fail string) {
	answer, _ := extract.Answer(response)
	inner, fenced := unfence(answer)
	switch {
	case fenced && j.fences == "forbid":
		return "", "fence_forbidden"
	case fenced:
		return inner, ""
	case j.fences == "require":
		return "", "fence_required"
	}
	return strings.TrimSpace(answer), ""
}

func (j *judge) check(s *compiled, doc string) verdict.Verdict {
	if err := strictjson.Check([]byte(doc), strictjson.Limits{}); err != nil {
		v := verdict.Fail(Name, refusal(err))
		v.Note("not_read", verdict.Info, err.Error())
		return v
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(doc)))
	if err != nil {
		v := verdict.Fail(Name, "not_json")
		v.Note("not_read", verdict.Info, err.Error())
		return v
	}
	if s.whole.Validate(value) == nil {
		v := verdict.Pass(Name, "valid")
		j.flag(&v)
		return v
	}
	v := verdict.Fail(Name, "invalid")
	if j.partial {
		v = verdict.Score(Name, verdict.Scored{Reward: s.share(value), Reason: "invalid"}, verdict.Range{})
		j.flag(&v)
	}
	v.Note("violation", verdict.Info, s.violation(value))
	return v
}

func (j *judge) flag(v *verdict.Verdict) {
	if j.partial {
		v.Note("gameable_partial", verdict.Warn, "a share of the schema is paid; a policy may learn to fill in only what is easy")
	}
}

// refusal is the reason for a text that is not read as JSON.
func refusal(err error) string {
	var e *strictjson.Error
	if errors.As(err, &e) {
		switch e.Kind {
		case strictjson.DuplicateKey:
			return "duplicate_key"
		case strictjson.TooLarge:
			return "limit_exceeded"
		}
	}
	return "not_json"
}
