// Package schema judges whether a response is a JSON document that a JSON Schema accepts.
//
// The document is read as RFC 8259 has it and no further (internal/strictjson): a lenient reader would let a policy be
// paid for what no parser of its users takes. Validation is santhosh-tekuri/jsonschema, drafts 4 to 2020-12, with a loader
// that refuses every address: its default opens files, and a schema comes with a task that somebody else wrote.
package schema
