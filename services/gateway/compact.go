package gateway

import (
	"bytes"
	"encoding/json"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
)

// compactJSON writes a message in the same bytes whatever binary wrote it. protojson puts spaces after commas and colons
// in some builds and not in others, on purpose; an answer whose bytes change with the build breaks whoever compares or
// caches it, and a test that reads it passes in one build and fails in the next.
type compactJSON struct{ runtime.JSONPb }

// Marshal writes without spaces outside strings.
func (c *compactJSON) Marshal(v any) ([]byte, error) {
	b, err := c.JSONPb.Marshal(v)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.Grow(len(b))
	if err := json.Compact(&out, b); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
