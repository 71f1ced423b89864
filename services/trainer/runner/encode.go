package runner

import (
	"fmt"
	"strings"

	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/plan"
	"github.com/provenir/provenir/services/trainer/rows"
)

// encoded is a row as tokens.
type encoded struct {
	row        rows.Row
	prompt     []int32
	completion []int32 // with EOS; nil in RL
}

// CheckRows says whether a stage could train these rows with a tokenizer and a context of so many tokens: it is what the
// stage itself does first.
func CheckRows(tok engine.Tokenizer, context int, p plan.Plan, data []rows.Row) error {
	_, err := encode(tok, context, p, data)
	return err
}

// encode turns every row into tokens once, and refuses what cannot be trained. A row that is silently cut gives reward 0
// and gradient 0 and looks like a bad policy, so an overlong row is an error unless the spec asks otherwise.
func encode(tok engine.Tokenizer, context int, p plan.Plan, data []rows.Row) ([]encoded, error) {
	room := context
	if p.RL {
		room -= int(p.Spec.GetSampling().GetMaxTokens())
	}
	var out []encoded
	var bad []string
	count := 0
	problem := func(row rows.Row, format string, args ...any) {
		if count++; count <= 20 {
			bad = append(bad, row.ID+": "+fmt.Sprintf(format, args...))
		}
	}
	for _, row := range data {
		e, err := encodeRow(tok, row, p.RL)
		if err != nil {
			problem(row, "%v", err)
			continue
		}
		if n := len(e.prompt) + len(e.completion); n > room {
			switch p.Spec.GetOverlong() {
			case "drop":
				continue
			case "truncate":
				if e = truncated(e, room); e.prompt == nil {
					problem(row, "the prompt alone has more than %d tokens", room)
					continue
				}
			default:
				problem(row, "%d tokens, room for %d (set overlong: truncate or drop, or a longer context)", n, room)
				continue
			}
		}
		out = append(out, e)
	}
	if count > 0 {
		return nil, &engine.Error{Reason: "DATASET_INVALID", Detail: fmt.Sprintf("%d of %d rows cannot be trained: %s", count, len(data), strings.Join(bad, "; "))}
	}
	if len(out) == 0 {
		return nil, &engine.Error{Reason: "DATASET_INVALID", Detail: "no row is left to train on"}
	}
	return out, nil
}

func encodeRow(tok engine.Tokenizer, row rows.Row, rl bool) (encoded, error) {
	e := encoded{row: row}
	prompt, err := tok.Encode(row.Prompt)
	if err != nil {
		return e, err
	}
	if bos, ok := tok.BOS(); ok {
		prompt = append([]int32{bos}, prompt...)
	}
	if e.prompt = prompt; len(prompt) == 0 {
		return e, fmt.Errorf("the prompt has no tokens")
	}
	if rl {
		return e, nil
	}
	if len(row.Completion) == 0 {
		return e, fmt.Errorf("no completion to learn from")
	}
	if e.completion, err = tok.Encode(row.Completion); err != nil {
		return e, err
	}
	eos, ok := tok.EOS()
	if !ok {
		return e, fmt.Errorf("the tokenizer has no end token")
	}
	e.completion = append(e.completion, eos)
	return e, nil
}

// truncated cuts a prompt at its beginning and a completion at its end.
func truncated(e encoded, room int) encoded {
	if len(e.completion) == 0 {
		e.prompt = e.prompt[len(e.prompt)-room:]
		return e
	}
	if len(e.prompt) >= room {
		return encoded{}
	}
	e.completion = e.completion[:room-len(e.prompt)]
	return e
}
