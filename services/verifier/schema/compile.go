package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/provenir/provenir/internal/strictjson"
	"github.com/provenir/provenir/services/verifier/spec"
)

// maxSchema bounds a schema's bytes.
const maxSchema = 1 << 20

// compiled is a schema with what partial credit needs of it.
type compiled struct {
	whole *jsonschema.Schema
	units []unit
}

// location has a path, so that a relative reference becomes another address, which the loader refuses. Against a name
// without one it would come back to the schema itself.
const location = "provenir://spec/schema.json"

// compile reads a schema. The error is a *spec.SchemaError.
func compile(path string, raw []byte, assert bool) (*compiled, error) {
	bad := func(err error) (*compiled, error) { return nil, &spec.SchemaError{Path: path, Err: err} }
	if err := strictjson.Check(raw, strictjson.Limits{Bytes: maxSchema}); err != nil {
		return bad(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return bad(err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(refusing{})
	if assert {
		c.AssertFormat()
		for _, f := range formats() {
			c.RegisterFormat(f)
		}
	}
	if err := c.AddResource(location, doc); err != nil {
		return bad(err)
	}
	whole, err := c.Compile(location)
	if err != nil {
		return bad(clean(err))
	}
	return &compiled{whole: whole, units: unitsOf(whole)}, nil
}

// refusing loads nothing: a reference to a file or an address would read what the author of a task may not, or wait for
// a machine that is away.
type refusing struct{}

func (refusing) Load(url string) (any, error) {
	return nil, fmt.Errorf("%w: %s", errRemote, url)
}

var errRemote = errors.New("schemas are not loaded from elsewhere; put what is referred to under $defs")

// clean says of a reference elsewhere what to do, without the library's own words about loading.
func clean(err error) error {
	var load *jsonschema.LoadURLError
	if errors.As(err, &load) {
		return load.Err
	}
	return err
}

// short builds the schema that required_keys and types stand for.
func short(path string, keys []string, types string) ([]byte, error) {
	doc := map[string]any{"type": "object"}
	if len(keys) > 0 {
		doc["required"] = keys
	}
	if types != "" {
		var byKey map[string]string
		if err := json.Unmarshal([]byte(types), &byKey); err != nil {
			return nil, &spec.BadSpecError{Path: path, Field: "types", Value: types, Allowed: `an object such as {"age":"integer"}`}
		}
		properties := map[string]any{}
		for key, kind := range byKey {
			properties[key] = map[string]any{"type": kind}
		}
		doc["properties"] = properties
	}
	return json.Marshal(doc)
}
