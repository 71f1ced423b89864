package timcheck

import (
	"encoding/json"
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rows"
)

// problem is why a row could not be used.
type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Line    int    `json:"line"`
}

func bad(format string, args ...any) *problem {
	return &problem{Code: "bad_row", Message: fmt.Sprintf(format, args...)}
}

// maxRow is what a message may hold beside its framing, in bytes.
const maxRow = 3 << 20

// sequence reads a row. A row without an id is called by its line: the shape of these rows does not ask for one.
func sequence(row *rows.Row, ids map[string]bool) (*recorderv1.MismatchRow, *problem) {
	m := &recorderv1.MismatchRow{Id: fmt.Sprintf("line %d", row.Line)}
	if raw, ok := row.Get("id"); ok && string(raw) != "null" {
		if json.Unmarshal(raw, &m.Id) != nil {
			m.Id = string(raw) // a number
		}
	}
	if len(m.Id) > 512 {
		return &recorderv1.MismatchRow{}, bad("the id has more than 512 bytes")
	}
	if ids[m.Id] {
		return m, &problem{Code: "duplicate_id", Message: "another row has the id " + m.Id}
	}
	ids[m.Id] = true
	for _, f := range row.Fields {
		if why := field(m, f.Key, f.JSON); why != nil {
			return m, why
		}
	}
	for _, key := range []string{"train_log_probs", "inference_log_probs"} {
		if _, ok := row.Get(key); !ok {
			return m, bad("the row has no column %s", key)
		}
	}
	if proto.Size(m) > maxRow {
		return m, &problem{Code: "too_large", Message: "the row has more than 3 MiB, which is some 190,000 tokens"}
	}
	return m, nil
}

func field(m *recorderv1.MismatchRow, key string, raw []byte) (why *problem) {
	switch key {
	case "prompt":
		if json.Unmarshal(raw, &m.Prompt) != nil {
			return nil // a list of messages: it is for the reader only
		}
	case "train_log_probs":
		m.TrainLogProbs, why = logProbs(key, raw)
	case "inference_log_probs":
		m.InferenceLogProbs, why = logProbs(key, raw)
	case "mask":
		m.Mask, why = mask(raw)
	case "sampled":
		if string(raw) != "null" && json.Unmarshal(raw, &m.Sampled) != nil || m.Sampled != "" && m.Sampled != "rollout" && m.Sampled != "probe" {
			m.Sampled = ""
			return bad("column sampled is %.40s; want rollout or probe", raw)
		}
	}
	return why
}

// logProbs takes numbers. What JSON has no number for comes as a text or, where an engine gave nothing, as null: those are
// tokens that are not finite, and the recorder says so.
func logProbs(key string, raw []byte) ([]float64, *problem) {
	var list []any
	if json.Unmarshal(raw, &list) != nil {
		return nil, bad("column %s is no list of numbers", key)
	}
	out := make([]float64, 0, len(list))
	for i, x := range list {
		switch x := x.(type) {
		case float64:
			out = append(out, x)
			continue
		case nil:
			out = append(out, math.NaN())
			continue
		case string:
			if v, ok := map[string]float64{"NaN": math.NaN(), "nan": math.NaN(), "Infinity": math.Inf(1), "inf": math.Inf(1), "-Infinity": math.Inf(-1), "-inf": math.Inf(-1)}[x]; ok {
				out = append(out, v)
				continue
			}
		}
		return nil, bad("column %s: token %d is no number", key, i)
	}
	return out, nil
}

// mask takes truth values, or the 0 and 1 that tensors have.
func mask(raw []byte) ([]bool, *problem) {
	var list []any
	if json.Unmarshal(raw, &list) != nil {
		return nil, bad("column mask is no list")
	}
	out := make([]bool, 0, len(list))
	for i, x := range list {
		switch x {
		case true, 1.0:
			out = append(out, true)
		case false, 0.0:
			out = append(out, false)
		default:
			return nil, bad("column mask: token %d is neither true nor false", i)
		}
	}
	return out, nil
}
