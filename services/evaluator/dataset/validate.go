package dataset

import (
	"crypto/sha256"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Problem is what is wrong with a row.
type Problem struct {
	Row          uint64
	ID           string
	Kind, Detail string
}

// Need says which columns a use asks for, beside the prompt.
type Need struct{ Reference, Completion bool }

// Report is what reading a dataset found.
type Report struct {
	Problems []Problem // the first 20
	Count    uint64    // of all
	Rows     uint64
	Prompts  map[[32]byte]uint64 // digest of the normalised prompt → its first row
}

const shown = 20

// Validate reads every row.
func Validate(r io.Reader, need Need) (Report, error) {
	out := Report{Prompts: map[[32]byte]uint64{}}
	add := func(p Problem) {
		if out.Count++; out.Count <= shown {
			out.Problems = append(out.Problems, p)
		}
	}
	ids := map[string]uint64{}
	err := Each(r, func(row Row) error {
		out.Rows++
		for _, p := range check(row, need) {
			add(p)
		}
		if row.ID != "" {
			if first, twice := ids[row.ID]; twice {
				add(Problem{row.Line, row.ID, "duplicate_id", "is the id of row " + strconv.FormatUint(first, 10) + " too"})
			} else {
				ids[row.ID] = row.Line
			}
		}
		if prompt, ok, err := row.Text("prompt"); ok && err == nil {
			if d := PromptDigest(prompt); out.Prompts[d] == 0 {
				out.Prompts[d] = row.Line
			}
		}
		return nil
	}, func(line uint64, kind, detail string) {
		out.Rows++
		add(Problem{Row: line, Kind: kind, Detail: detail})
	})
	if err == nil && out.Rows == 0 {
		add(Problem{Row: 0, Kind: "empty", Detail: "the dataset has no rows"})
	}
	return out, err
}

func check(row Row, need Need) []Problem {
	var out []Problem
	want := func(key, kind string, needed bool) {
		text, ok, err := row.Text(key)
		switch {
		case err != nil:
			out = append(out, Problem{row.Line, row.ID, "not_text", err.Error()})
		case needed && (!ok || strings.TrimSpace(text) == ""):
			out = append(out, Problem{row.Line, row.ID, kind, "no " + key})
		}
	}
	want("prompt", "no_prompt", true)
	_, several := row.Fields["references"]
	want("reference", "no_reference", need.Reference && !several)
	want("completion", "no_completion", need.Completion)
	return out
}

// PromptDigest is the digest under which two prompts count as the same row: white space does not tell them apart.
func PromptDigest(prompt string) [32]byte {
	return sha256.Sum256([]byte(strings.Join(strings.Fields(prompt), " ")))
}

// Shared counts rows of a whose prompt is in b, with examples.
func Shared(a, b Report) (rows uint64, examples []uint64) {
	for d, line := range a.Prompts {
		if _, ok := b.Prompts[d]; ok {
			rows++
			examples = append(examples, line)
		}
	}
	slices.Sort(examples)
	return rows, examples[:min(len(examples), shown)]
}
