package task

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// jsonExtract asks to fill a JSON object from a made-up text.
type jsonExtract struct{}

func (jsonExtract) Name() string      { return "json_extract" }
func (jsonExtract) Version() string   { return "1" }
func (jsonExtract) Presets() []string { return []string{PresetDemo} }

var (
	firstNames = strings.Fields("Ada Bram Clara Dario Edda Finn Greta Hugo Ines Jonas Karla Levin Mira Nils Orla Pavel Rosa Sven Tilda Uwe")
	lastNames  = strings.Fields("Brook Castle Dorn Ebner Frost Gale Hart Iversen Jung Keller Lund Moss Nagel Olsen Pike Quist Rhys Stone Thorn Wells")
	goods      = strings.Fields("lamps chairs kettles ropes drums mirrors ladders pumps clocks saddles")
	cities     = strings.Fields("Basel Cork Delft Evora Fano Gent Hobro Imst Jena Kemi")
)

// field is something that a text tells.
type field struct {
	key   string
	value any
	tells string // the sentence
}

// demo is three words to put under two keys: what a 0.2-million-parameter policy learns in a minute or two.
func (p jsonExtract) demo(seed, index uint64) Instance {
	rng := stream(p.Name()+"/demo", p.Version(), seed, index)
	name, count, item := pick(rng, firstNames), 2+rng.IntN(98), pick(rng, goods)
	prompt := fmt.Sprintf("%s: %d %s\n", name, count, item)
	reference := fmt.Sprintf(`{"name":%q,"count":%d}`, name, count)
	properties := map[string]any{"name": map[string]any{"const": name}, "count": map[string]any{"const": count}}
	return Instance{
		ID: contentID(p.Name(), p.Version(), prompt), Prompt: prompt, Reference: reference, Completion: reference, Spec: "json_schema",
		Row:   jsonText(map[string]any{"schema": map[string]any{"type": "object", "properties": properties, "required": []string{"name", "count"}, "additionalProperties": false}}),
		Split: splitOf(p.Name() + ":" + prompt), Difficulty: 1,
	}
}

func (p jsonExtract) Instance(seed, index uint64, s Setting) (Instance, error) {
	if s == (Setting{Preset: PresetDemo}) {
		return p.demo(seed, index), nil
	}
	d, err := plainDifficulty(p.Name(), s)
	if err != nil {
		return Instance{}, err
	}
	rng := stream(p.Name(), p.Version(), seed, index)
	fields := p.fields(rng)
	want := fields[:rising(2, len(fields), d)]
	var text strings.Builder
	for _, i := range rng.Perm(len(want)) {
		text.WriteString(want[i].tells + " ")
	}
	if d >= 4 { // a decoy: another order, which is not asked for
		fmt.Fprintf(&text, "An earlier order, number %d from %s, was cancelled. ", 1000+rng.IntN(9000), pick(rng, cities))
	}
	properties, answer, keys := map[string]any{}, map[string]any{}, make([]string, len(want))
	for i, f := range want {
		properties[f.key], answer[f.key], keys[i] = map[string]any{"const": f.value}, f.value, f.key+" ("+typeOf(f.value)+")"
	}
	prompt := fmt.Sprintf("%s\nGive a JSON object with the keys %s, for the order that was not cancelled. Give nothing else.\nA:", strings.TrimSpace(text.String()), strings.Join(keys, ", "))
	reference := jsonText(answer)
	names := make([]string, len(want))
	for i, f := range want {
		names[i] = f.key
	}
	return Instance{
		ID: contentID(p.Name(), p.Version(), prompt), Prompt: prompt, Reference: reference, Completion: " " + reference, Spec: "json_schema",
		Row:   jsonText(map[string]any{"schema": map[string]any{"type": "object", "properties": properties, "required": names, "additionalProperties": false}}),
		Split: splitOf(p.Name() + ":" + reference), Difficulty: d,
	}, nil
}

func (jsonExtract) fields(rng *rand.Rand) []field {
	name, city, item := pick(rng, firstNames)+" "+pick(rng, lastNames), pick(rng, cities), pick(rng, goods)
	order, count, cents := 1000+rng.IntN(9000), 2+rng.IntN(90), 100+rng.IntN(99900)
	date := fmt.Sprintf("20%02d-%02d-%02d", 20+rng.IntN(10), 1+rng.IntN(12), 1+rng.IntN(28))
	paid, gift := rng.IntN(2) == 0, rng.IntN(2) == 0
	street, house := pick(rng, lastNames)+" Street", 1+rng.IntN(200)
	parts := []string{pick(rng, goods), pick(rng, cities)}
	return []field{
		{"order", order, fmt.Sprintf("The order has the number %d.", order)},
		{"customer", name, fmt.Sprintf("It was placed by %s.", name)},
		{"item", item, fmt.Sprintf("What was bought are %s.", item)},
		{"count", count, fmt.Sprintf("There are %d of them.", count)},
		{"city", city, fmt.Sprintf("They go to %s.", city)},
		{"date", date, fmt.Sprintf("The day of the order was %s.", date)},
		{"price_cents", cents, fmt.Sprintf("All of it costs %d.%02d euros.", cents/100, cents%100)},
		{"paid", paid, map[bool]string{true: "It has been paid.", false: "It has not been paid yet."}[paid]},
		{"gift", gift, map[bool]string{true: "It is a gift.", false: "It is not a gift."}[gift]},
		{"address", map[string]any{"street": street, "house": house}, fmt.Sprintf("The address is %d, %s.", house, street)},
		{"tags", parts, fmt.Sprintf("Its tags are %s and %s, in this order.", parts[0], parts[1])},
		{"note", nil, "There is no note."},
	}
}

func pick(rng *rand.Rand, from []string) string { return from[rng.IntN(len(from))] }

func typeOf(v any) string {
	switch v.(type) {
	case int:
		return "integer"
	case bool:
		return "boolean"
	case []string:
		return "list of texts"
	case map[string]any:
		return "object with street and house"
	case nil:
		return "text or null"
	}
	return "text"
}

// GuessRate is 0 to all purposes: the number of the order alone has 9,000 values.
func (p jsonExtract) GuessRate(s Setting) (float64, error) {
	if s == (Setting{Preset: PresetDemo}) {
		return 1.0 / 20 / 98, nil
	}
	_, err := plainDifficulty(p.Name(), s)
	return 0, err
}

// Degenerate answers have the form and not the content, or more than the object.
func (jsonExtract) Degenerate(i Instance) []string {
	return []string{"", " ", i.Prompt, "{}", "[]", "null", "Sure: " + i.Reference, i.Reference + i.Reference, "[" + i.Reference + "]",
		strings.Replace(i.Reference, "{", `{"extra":1,`, 1), strings.ReplaceAll(strings.ReplaceAll(i.Reference, `"order":`, `"order":1`), `"count":`, `"count":1`), strings.TrimSuffix(i.Reference, "}")}
}
