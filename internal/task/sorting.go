package task

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// sorting asks to sort words or numbers in a stated order and form.
type sorting struct{}

func (sorting) Name() string      { return "sorting" }
func (sorting) Version() string   { return "1" }
func (sorting) Presets() []string { return nil }

var sortingWords = strings.Fields(`apple basin cedar delta ember flint grove haven inlet jewel knoll larch maple night otter pearl
	quartz river slate tulip umber viola willow xenon yarrow zephyr amber birch coral dune ebony fjord glade heron iris jasper`)

func (p sorting) Instance(seed, index uint64, s Setting) (Instance, error) {
	d, err := plainDifficulty(p.Name(), s)
	if err != nil {
		return Instance{}, err
	}
	rng := stream(p.Name(), p.Version(), seed, index)
	n := rising(4, 40, d)
	descending := rng.IntN(2) == 0
	kind, order := "numbers", "ascending"
	var items, sorted []string
	if rng.IntN(2) == 0 {
		items, sorted = numbersToSort(rng, n, d)
	} else {
		kind = "words"
		items, sorted = wordsToSort(rng, n, d)
	}
	if descending {
		order = "descending"
		slices.Reverse(sorted)
	}
	answer := strings.Join(sorted, " ")
	prompt := fmt.Sprintf("Sort these %s in %s order and give them behind ####, separated by single spaces: %s\nA:", kind, order, strings.Join(items, " "))
	return Instance{
		ID: contentID(p.Name(), p.Version(), prompt), Prompt: prompt, Reference: answer, Completion: " #### " + answer,
		Spec: "exact_answer:profile=final_answer,normalize=none,case=exact", Split: splitOf(p.Name() + ":" + order + ":" + answer), Difficulty: d,
	}, nil
}

// numbersToSort has ties from level 4 on, and signs from level 7 on.
func numbersToSort(rng *rand.Rand, n, difficulty int) (items, sorted []string) {
	values := make([]int, n)
	for i := range values {
		values[i] = rng.IntN(rising(50, 1000, difficulty))
		if difficulty >= 7 && rng.IntN(2) == 0 {
			values[i] = -values[i]
		}
		if difficulty >= 4 && i > 0 && rng.IntN(5) == 0 {
			values[i] = values[rng.IntN(i)]
		}
	}
	text := func() []string {
		out := make([]string, n)
		for i, v := range values {
			out[i] = fmt.Sprint(v)
		}
		return out
	}
	items = text()
	slices.Sort(values)
	return items, text()
}

func wordsToSort(rng *rand.Rand, n, difficulty int) (items, sorted []string) {
	for i := range n {
		w := sortingWords[rng.IntN(len(sortingWords))]
		if difficulty < 4 && slices.Contains(items, w) { // no ties yet
			w = sortingWords[(slices.Index(sortingWords, w)+i+1)%len(sortingWords)] + "s"
		}
		items = append(items, w)
	}
	return items, slices.Sorted(slices.Values(items))
}

// GuessRate is 0 to all purposes: the order of a fixed answer fits no list of 4 drawn items.
func (p sorting) GuessRate(s Setting) (float64, error) {
	_, err := plainDifficulty(p.Name(), s)
	return 0, err
}

// Degenerate answers are the list as it was given, reversed, or all orders at once.
func (sorting) Degenerate(i Instance) []string {
	items := strings.Fields(i.Reference)
	back := slices.Clone(items)
	slices.Reverse(back)
	wrong := " #### " + strings.Join(back, " ")
	if slices.Equal(items, back) { // all equal: the reversed list is the answer
		wrong = " #### "
	}
	return []string{"", " ", i.Prompt, " #### ", wrong, " #### " + i.Reference + " #### " + strings.Join(back, ","), " #### " + i.Reference + ", " + strings.Join(back, " "),
		" #### " + strings.Join(items, ","), " #### " + strings.Join(items[:len(items)-1], " ")}
}
