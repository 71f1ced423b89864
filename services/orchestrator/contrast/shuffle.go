package contrast

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
)

// Shuffle gives each row of a dataset (JSON lines) what the verifier reads of another row; prompt and id stay. A row whose
// partner asks for the same would be paid rightly, so partners are drawn again where they agree.
func Shuffle(data []byte, seed uint64) ([]byte, error) {
	var rows []map[string]json.RawMessage
	for n, line := range bytes.Split(data, []byte("\n")) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		row := map[string]json.RawMessage{}
		if err := json.Unmarshal(line, &row); err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		rows = append(rows, row)
	}
	asks := make([]string, len(rows))
	for i, row := range rows {
		rest := maps.Clone(row)
		maps.DeleteFunc(rest, func(key string, _ json.RawMessage) bool { return slices.Contains(kept, key) })
		b, err := json.Marshal(rest)
		if err != nil {
			return nil, err
		}
		asks[i] = string(b)
	}
	from, err := partners(asks, rand.New(rand.NewPCG(seed, 0x73687566)))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for i, row := range rows {
		mixed := map[string]json.RawMessage{}
		maps.Copy(mixed, rows[from[i]])
		for _, key := range kept {
			delete(mixed, key)
			if v, ok := row[key]; ok {
				mixed[key] = v
			}
		}
		b, err := json.Marshal(mixed)
		if err != nil {
			return nil, err
		}
		out.Write(append(b, '\n'))
	}
	return out.Bytes(), nil
}

// kept are the columns of a row that stay its own.
var kept = []string{"prompt", "id", "messages"}

// partners is a permutation without a place whose two rows ask for the same.
func partners(asks []string, rng *rand.Rand) ([]int, error) {
	if len(asks) < 2 {
		return nil, fmt.Errorf("%w: %d rows cannot be shuffled", ErrNoControls, len(asks))
	}
	from := rng.Perm(len(asks))
	same := func(i int) bool { return asks[i] == asks[from[i]] }
	for range 100 {
		clean := true
		for i := range from {
			if same(i) {
				clean = false
				j := rng.IntN(len(from))
				from[i], from[j] = from[j], from[i]
			}
		}
		if clean {
			return from, nil
		}
	}
	return nil, fmt.Errorf("%w: most rows ask for the same, so that shuffled rows are the real ones; leave the control shuffled out", ErrNoControls)
}
