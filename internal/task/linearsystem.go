package task

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// linearSystem asks for the unknowns of a system of linear equations, told in words.
type linearSystem struct{}

func (linearSystem) Name() string      { return "linear_system" }
func (linearSystem) Version() string   { return "1" }
func (linearSystem) Presets() []string { return nil }

var unknownNames = [...]string{"pears", "plums", "figs", "limes"}

func (p linearSystem) Instance(seed, index uint64, s Setting) (Instance, error) {
	d, err := plainDifficulty(p.Name(), s)
	if err != nil {
		return Instance{}, err
	}
	rng := stream(p.Name(), p.Version(), seed, index)
	n := rising(2, 4, d)
	values := make([]int, n)
	for i := range values {
		values[i] = 1 + rng.IntN(rising(12, 60, d))
	}
	rows := p.system(rng, n, rising(3, 9, d))
	fractions := d >= 6 // prices in halves
	var text strings.Builder
	for _, row := range rows {
		var parts []string
		sum := 0
		for i, c := range row {
			sum += c * values[i]
			parts = append(parts, fmt.Sprintf("%d %s", c, unknownNames[i]))
		}
		total := fmt.Sprint(sum)
		if fractions {
			total = halves(sum)
		}
		fmt.Fprintf(&text, "%s cost %s. ", strings.Join(parts, " and "), total)
	}
	answers := make([]string, n)
	for i, v := range values {
		if answers[i] = fmt.Sprint(v); fractions {
			answers[i] = fmt.Sprintf("%d/2", v)
			if v%2 == 0 {
				answers[i] = fmt.Sprint(v / 2)
			}
		}
	}
	reference := "(" + strings.Join(answers, ", ") + ")"
	prompt := fmt.Sprintf("%sWhat does one of each cost? Give (%s) behind ####.\nA:", text.String(), strings.Join(unknownNames[:n], ", "))
	return Instance{
		ID: contentID(p.Name(), p.Version(), prompt), Prompt: prompt, Reference: reference, Completion: " #### " + reference,
		Spec: "math:profile=final_answer", Split: splitOf(p.Name() + ":" + text.String()), Difficulty: d,
	}, nil
}

func halves(n int) string {
	if n%2 == 0 {
		return fmt.Sprint(n / 2)
	}
	return fmt.Sprintf("%d.5", n/2)
}

// system draws coefficients with a determinant that is not 0, so that there is one answer.
func (linearSystem) system(rng *rand.Rand, n, largest int) [][]int {
	for {
		rows := make([][]int, n)
		for i := range rows {
			rows[i] = make([]int, n)
			for j := range rows[i] {
				rows[i][j] = 1 + rng.IntN(largest)
			}
		}
		if determinant(rows) != 0 {
			return rows
		}
	}
}

// determinant by the first row; there are at most four.
func determinant(m [][]int) int {
	if len(m) == 1 {
		return m[0][0]
	}
	sum, sign := 0, 1
	for j := range m {
		minor := make([][]int, 0, len(m)-1)
		for _, row := range m[1:] {
			minor = append(minor, append(append([]int(nil), row[:j]...), row[j+1:]...))
		}
		sum += sign * m[0][j] * determinant(minor)
		sign = -sign
	}
	return sum
}

// GuessRate is the chance of a fixed pair, at most: one of 12 · 12 at level 1, less above.
func (p linearSystem) GuessRate(s Setting) (float64, error) {
	d, err := plainDifficulty(p.Name(), s)
	if err != nil {
		return 0, err
	}
	rate := 1.0
	for range rising(2, 4, d) {
		rate /= float64(rising(12, 60, d))
	}
	return rate, nil
}

// Degenerate answers are constants, single unknowns and hedges.
func (linearSystem) Degenerate(i Instance) []string {
	inner := strings.Trim(i.Reference, "()")
	first, _, _ := strings.Cut(inner, ",")
	return []string{"", " ", i.Prompt, " #### ", " #### (0, 0)", " #### " + first, " #### (" + inner + ", 0)", " #### " + i.Reference + " or (0, 0)",
		" #### {" + inner + ", 0, 1, 2}", " #### " + strings.Join(unknownNames[:2], " + "), " #### (x, y)"}
}
