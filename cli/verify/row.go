package verify

import (
	"encoding/json"
	"fmt"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rows"
)

// row is one row of the input on its way.
type row struct {
	line int
	id   string
	spec string     // the row's own; empty takes the verb's
	bad  *lineError // set when the row could not be used: it is answered without a verdict
	req  *verifierv1.VerifyBatchRequest
}

// read takes what the service is asked from a row. Rows of a dataset need no ids to be checked: their line names them.
func (o *options) read(in *rows.Row) row {
	r := row{line: in.Line}
	bad := func(code, format string, args ...any) row {
		r.bad = &lineError{code, fmt.Sprintf(format, args...), in.Line}
		return r
	}
	if raw, ok := in.Get("id"); ok {
		if json.Unmarshal(raw, &r.id) != nil {
			r.id = string(raw) // a number
		}
	}
	if r.id == "" {
		if !o.check {
			return bad("missing_id", "the row has no id; give every row its own")
		}
		r.id = fmt.Sprintf("line-%d", in.Line)
	}
	var response string
	if raw, ok := in.Get("response"); ok && string(raw) != "null" {
		if json.Unmarshal(raw, &response) != nil {
			return bad("bad_row", "column response is no text")
		}
	} else if !o.check {
		return bad("bad_row", "the row has no column response")
	}
	if raw, ok := in.Get("spec"); ok && string(raw) != "null" {
		if json.Unmarshal(raw, &r.spec) != nil {
			return bad("bad_row", "column spec is no text such as math or name:option=value")
		}
	}
	r.req = &verifierv1.VerifyBatchRequest{CheckTask: o.check,
		Row: &verifierv1.Candidate{RolloutId: r.id, Response: []byte(response), RowJson: object(in)}}
	return r
}

// object writes the row as JSON; the values are those of the file, digit for digit.
func object(in *rows.Row) []byte {
	out := []byte{'{'}
	for i, f := range in.Fields {
		if i > 0 {
			out = append(out, ',')
		}
		key, err := json.Marshal(f.Key)
		if err != nil { // a string always marshals
			continue
		}
		out = append(append(append(out, key...), ':'), f.JSON...)
	}
	return append(out, '}')
}
