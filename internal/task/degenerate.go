package task

import (
	"math/big"
	"strings"
)

// Degenerate gives empty, echo, constant, hedged and alternating answers. Those that contain the reference matter most:
// a verifier that looks for it anywhere in the text would pay them.
func (arithmetic) Degenerate(i Instance) []string {
	ref, ok := new(big.Int).SetString(i.Reference, 10)
	if !ok {
		ref = new(big.Int)
	}
	near := func(d int64) string { return new(big.Int).Add(ref, big.NewInt(d)).String() }
	constant := "0"
	if i.Reference == constant {
		constant = "1"
	}
	hedge := []string{near(-1), i.Reference, near(1)}
	return []string{
		"",
		" ",
		i.Prompt,
		" #### ",
		" #### " + constant,
		" #### " + strings.TrimSuffix(strings.TrimPrefix(i.Prompt, "Q: "), "\nA:"),
		" #### " + strings.Join(hedge, ", "),
		" #### " + strings.Join(hedge, " or "),
		" #### " + strings.Join(hedge, " "),
		" #### " + i.Reference + "|" + near(7),
		" #### (" + strings.Join(hedge, ")(") + ")",
		" #### [" + i.Reference + "," + near(3) + "]",
		" #### " + i.Reference + " #### " + near(1),
		" #### x",
		" #### the answer",
	}
}
