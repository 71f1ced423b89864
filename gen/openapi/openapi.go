// Package openapi holds the REST reference that is generated from the protos.
package openapi

import _ "embed"

// JSON is the OpenAPI 2 document of every REST path.
//
//go:embed provenir.swagger.json
var JSON []byte
