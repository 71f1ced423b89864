package task

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// lookup asks for a fact that lies some hops away in a made-up register. It is played in the environment of the same
// name: the register is in the row, which no policy sees, and is read with a tool.
type lookup struct{}

func (lookup) Name() string      { return "lookup" }
func (lookup) Version() string   { return "1" }
func (lookup) Presets() []string { return nil }

var relations = [...]string{"keeper", "harbour", "sister ship", "founder", "patron", "rival", "teacher", "home town"}

// syllables make names that nobody has read about: three of them are one of 13,824 names.
var syllables = [...]string{
	"ba", "dor", "fen", "gu", "hal", "ir", "jo", "ka", "lum", "mi", "nar", "os", "pel", "qui", "ra", "sol", "ti", "ur", "ve", "wyn", "xan", "yo", "zel", "che",
}

func madeUpName(rng *rand.Rand, used map[string]bool) string {
	for {
		var b strings.Builder
		for range 3 {
			b.WriteString(syllables[rng.IntN(len(syllables))])
		}
		name := strings.ToUpper(b.String()[:1]) + b.String()[1:]
		if !used[name] {
			used[name] = true
			return name
		}
	}
}

func (l lookup) Instance(seed, index uint64, s Setting) (Instance, error) {
	d, err := plainDifficulty(l.Name(), s)
	if err != nil {
		return Instance{}, err
	}
	rng := stream(l.Name(), l.Version(), seed, index)
	used := map[string]bool{}
	entity := madeUpName(rng, used)
	first := entity
	var chain, facts [][3]string
	words := first
	for range rising(1, 4, d) {
		r, value := relations[rng.IntN(len(relations))], madeUpName(rng, used)
		chain = append(chain, [3]string{entity, r, value})
		words = fmt.Sprintf("the %s of %s", r, words)
		entity = value
	}
	facts = append(facts, chain...)
	for range rising(2, 36, d) {
		facts = append(facts, distractor(rng, used, facts))
	}
	rng.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
	prompt := fmt.Sprintf("A register holds facts about made-up names. Find %s with the tool lookup, which takes entity and relation. "+
		"Give the name behind ####, or with the tool answer.\nA:", words)
	return Instance{
		ID: contentID(l.Name(), l.Version(), prompt), Prompt: prompt, Reference: entity, Completion: " #### " + entity,
		Spec: "exact_answer:profile=final_answer", Row: jsonText(map[string]any{"facts": facts, "chain": chain}), Split: splitOf(l.Name() + ":" + words), Difficulty: d,
	}, nil
}

// distractor is another relation of a name that is there, or a relation that is asked for of another name.
func distractor(rng *rand.Rand, used map[string]bool, facts [][3]string) [3]string {
	of := facts[rng.IntN(len(facts))]
	entity, relation := madeUpName(rng, used), of[1]
	if r := relations[rng.IntN(len(relations))]; rng.IntN(2) == 0 && !known(facts, of[0], r) {
		entity, relation = of[0], r
	}
	return [3]string{entity, relation, madeUpName(rng, used)}
}

func known(facts [][3]string, entity, relation string) bool {
	for _, f := range facts {
		if f[0] == entity && f[1] == relation {
			return true
		}
	}
	return false
}

// lookupGuess bounds the chance of a constant name among 13,824; syllables that join to the same text make some names
// commoner.
const lookupGuess = 0.0005

// GuessRate is the chance of one name.
func (l lookup) GuessRate(s Setting) (float64, error) {
	_, err := plainDifficulty(l.Name(), s)
	return lookupGuess, err
}

// Degenerate answers are the prompt, constants, the name that was asked about, and lists with the answer among them.
func (lookup) Degenerate(i Instance) []string {
	_, rest, _ := strings.Cut(i.Prompt, "Find ")
	words, _, _ := strings.Cut(rest, " with")
	asked := words[strings.LastIndex(words, " ")+1:]
	return []string{
		"", " ", i.Prompt, " #### ", " #### " + asked, " #### " + words, " #### Baba", " #### " + asked + " or " + i.Reference, " #### " + i.Reference + ", " + asked,
		" #### " + i.Reference + " #### " + asked, " #### every name",
	}
}
