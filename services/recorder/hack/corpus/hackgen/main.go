// Command hackgen makes the corpus of the hacking detector and fits its weights.
//
//	go run ./services/recorder/hack/corpus/hackgen --humaneval ../shared/data/humaneval/HumanEval.jsonl.gz          # weights.go on standard output
//	go run ./services/recorder/hack/corpus/hackgen --humaneval … --rows > rows.jsonl                                # the rows, for provenir hacking
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/provenir/provenir/services/recorder/hack/corpus"
)

func main() {
	path := flag.String("humaneval", "../shared/data/humaneval/HumanEval.jsonl.gz", "HumanEval.jsonl.gz")
	seed := flag.Uint64("seed", corpus.Seed, "of the corpus")
	rows := flag.Bool("rows", false, "write the rows instead of the weights")
	flag.Parse()
	if err := run(*path, *seed, *rows); err != nil {
		fmt.Fprintln(os.Stderr, "hackgen: "+err.Error())
		os.Exit(2)
	}
}

func run(path string, seed uint64, rows bool) error {
	problems, err := corpus.Problems(path)
	if err != nil {
		return err
	}
	cases := corpus.Generate(problems, seed)
	w := bufio.NewWriter(os.Stdout)
	if !rows {
		fmt.Fprint(w, corpus.Fit(cases).Source(seed))
		return w.Flush()
	}
	enc := json.NewEncoder(w)
	for i := range cases {
		if err := enc.Encode(cases[i].JSON()); err != nil {
			return err
		}
	}
	return w.Flush()
}
