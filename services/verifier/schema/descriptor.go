package schema

import (
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/text"
)

// Name is the verifier's.
const Name = "json_schema"

// Descriptor describes json_schema.
func Descriptor() spec.Descriptor {
	return spec.Descriptor{
		Name: Name, Summary: "the response is JSON that a JSON Schema accepts",
		Options: []spec.Option{
			{Name: "schema", Type: spec.Document, Doc: "the schema, drafts 4 to 2020-12 (2020-12 where $schema is absent); without it each row brings one in its column schema"},
			{Name: "required_keys", Type: spec.Texts, Doc: "in place of a schema: keys that an object must have"},
			{Name: "types", Type: spec.Document, Doc: "in place of a schema: an object of key and JSON type; true is no integer, 1.0 is one"},
			{Name: "fences", Type: spec.Choice, Allowed: []string{"allow", "require", "forbid"}, Default: "allow", Doc: "whether the document may stand in one fenced block; nothing else may stand beside it"},
			{Name: "formats", Type: spec.Choice, Allowed: []string{"annotate", "assert"}, Default: "annotate", Doc: "assert checks date-time, email, ipv4, ipv6, uuid and uri"},
			{Name: "partial", Type: spec.Flag, Default: false, Doc: "pay the share of required keys and property schemas that hold; a policy can learn to fill in the easy ones only"},
			text.FieldsOption(),
		},
	}
}
