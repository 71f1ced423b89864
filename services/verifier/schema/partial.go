package schema

import (
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// unit is what partial credit counts: a required key that is there, or a property that is there and valid.
type unit struct {
	key    string
	schema *jsonschema.Schema // nil: the key must be there
}

// unitsOf takes the keywords required and properties of a schema, through references. In one order, so that it repeats.
func unitsOf(s *jsonschema.Schema) []unit {
	for range 16 { // a chain of references; a loop of them has no properties
		if s.Ref == nil || len(s.Properties) > 0 || len(s.Required) > 0 {
			break
		}
		s = s.Ref
	}
	var units []unit
	for _, key := range s.Required {
		units = append(units, unit{key: key})
	}
	keys := make([]string, 0, len(s.Properties))
	for key := range s.Properties {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		units = append(units, unit{key: key, schema: s.Properties[key]})
	}
	return units
}

// share is the part of the units that hold, below 1: only the whole schema pays 1. Anything but an object holds nothing.
func (c *compiled) share(doc any) float64 {
	object, ok := doc.(map[string]any)
	if !ok || len(c.units) == 0 {
		return 0
	}
	held := 0
	for _, u := range c.units {
		value, there := object[u.key]
		if there && (u.schema == nil || u.schema.Validate(value) == nil) {
			held++
		}
	}
	return min(float64(held)/float64(len(c.units)), 1-1/float64(len(c.units)+1))
}
