package task

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// toolCall asks for calls of functions that the prompt lists.
type toolCall struct{}

func (toolCall) Name() string      { return "tool_call" }
func (toolCall) Version() string   { return "1" }
func (toolCall) Presets() []string { return []string{PresetDemo} }

// wish is a call that somebody asks for in words.
type wish struct {
	function  string
	keys      []string // of the arguments, in the order of the signature
	arguments map[string]any
	says      string
}

// wishes are one of each function, in an order of the stream's.
func wishes(rng *rand.Rand) []wish {
	city, other := pick(rng, cities), pick(rng, cities)
	first, last, to := pick(rng, firstNames), pick(rng, lastNames), pick(rng, firstNames)
	item, gift := pick(rng, goods), rng.IntN(2) == 0
	nights, cents, hour, minute := 1+rng.IntN(20), 100+rng.IntN(90000), rng.IntN(24), rng.IntN(60)
	count, number, amount, kilos := 2+rng.IntN(90), 1000+rng.IntN(9000), 1+rng.IntN(9999), 1+rng.IntN(40)
	as := map[bool]string{true: " as a gift", false: ", not as a gift"}[gift]
	all := []wish{
		{"book_room", []string{"city", "nights"}, map[string]any{"city": city, "nights": nights}, fmt.Sprintf("Book a room in %s for %d nights.", city, nights)},
		{"send_money", []string{"to", "cents"}, map[string]any{"to": to, "cents": cents}, fmt.Sprintf("Send %d.%02d euros to %s.", cents/100, cents%100, to)},
		{"set_alarm", []string{"hour", "minute"}, map[string]any{"hour": hour, "minute": minute}, fmt.Sprintf("Wake me at %02d:%02d.", hour, minute)},
		{"order_item", []string{"item", "count", "gift"}, map[string]any{"item": item, "count": count, "gift": gift}, fmt.Sprintf("Order %d %s%s.", count, item, as)},
		{"find_person", []string{"first", "last"}, map[string]any{"first": first, "last": last}, fmt.Sprintf("Find %s %s.", first, last)},
		{"cancel_order", []string{"number"}, map[string]any{"number": number}, fmt.Sprintf("Cancel the order with the number %d.", number)},
		{"to_yen", []string{"amount"}, map[string]any{"amount": amount}, fmt.Sprintf("Tell me what %d euros are in yen.", amount)},
		{"ship", []string{"city", "kilos"}, map[string]any{"city": other, "kilos": kilos}, fmt.Sprintf("Ship %d kilos to %s.", kilos, other)},
	}
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// schema is the function as the verifier has it.
func (w *wish) schema() map[string]any {
	properties := map[string]any{}
	for k, v := range w.arguments {
		properties[k] = map[string]any{"type": map[string]string{"integer": "integer", "boolean": "boolean", "text": "string"}[typeOf(v)]}
	}
	return map[string]any{"name": w.function, "parameters": map[string]any{"type": "object", "properties": properties, "required": w.keys, "additionalProperties": false}}
}

func (w *wish) signature() string {
	parts := make([]string, len(w.keys))
	for i, k := range w.keys {
		parts[i] = k + ": " + typeOf(w.arguments[k])
	}
	return w.function + "(" + strings.Join(parts, ", ") + ")"
}

func (w *wish) call() map[string]any {
	return map[string]any{"name": w.function, "arguments": w.arguments}
}

// demoVerbs are the functions of the demo.
var demoVerbs = strings.Fields("buy sell lend move lift wash")

// demo is three words to make one call of: what a 0.2-million-parameter policy learns in a minute or two.
func (p toolCall) demo(seed, index uint64) Instance {
	rng := stream(p.Name()+"/demo", p.Version(), seed, index)
	verb, count, item := pick(rng, demoVerbs), 2+rng.IntN(98), pick(rng, goods)
	prompt := fmt.Sprintf("%s %d %s\n", verb, count, item)
	reference := fmt.Sprintf(`{"tool":%q,"args":{%q:%d}}`, verb, item, count)
	properties := map[string]any{}
	for _, g := range goods {
		properties[g] = map[string]any{"type": "integer"}
	}
	tools := make([]any, len(demoVerbs))
	for i, v := range demoVerbs {
		tools[i] = map[string]any{"name": v, "parameters": map[string]any{"type": "object", "properties": properties, "additionalProperties": false}}
	}
	expected := []any{map[string]any{"name": verb, "arguments": map[string]any{item: count}}}
	return Instance{
		ID: contentID(p.Name(), p.Version(), prompt), Prompt: prompt, Reference: reference, Completion: reference, Spec: "tool_call:format=provenir,extra_prose=forbid",
		Row: jsonText(map[string]any{"tools": tools, "expected": expected}), Split: splitOf(p.Name() + ":" + prompt), Difficulty: 1,
	}
}

func (p toolCall) Instance(seed, index uint64, s Setting) (Instance, error) {
	if s == (Setting{Preset: PresetDemo}) {
		return p.demo(seed, index), nil
	}
	d, err := plainDifficulty(p.Name(), s)
	if err != nil {
		return Instance{}, err
	}
	rng := stream(p.Name(), p.Version(), seed, index)
	all := wishes(rng)
	offered, asked := all[:rising(2, len(all), d)], all[:rising(1, 4, d)]
	var tools, expected []any
	var signatures, said, calls []string
	for i := range offered {
		tools = append(tools, offered[i].schema())
		signatures = append(signatures, offered[i].signature())
	}
	rng.Shuffle(len(signatures), func(i, j int) { signatures[i], signatures[j] = signatures[j], signatures[i] })
	for i := range asked {
		expected = append(expected, asked[i].call())
		said = append(said, asked[i].says)
		calls = append(calls, "<tool_call>"+jsonText(asked[i].call())+"</tool_call>")
	}
	if d >= 5 { // a decoy: a function that is offered, for something that is not wanted
		said = append(said, "Do not do this, it is done already: "+offered[len(offered)-1].says)
	}
	prompt := fmt.Sprintf("Functions:\n%s\n%s\nCall what is wanted and nothing else, each call as <tool_call>{\"name\": …, \"arguments\": {…}}</tool_call>.\nA:",
		strings.Join(signatures, "\n"), strings.Join(said, " "))
	return Instance{
		ID: contentID(p.Name(), p.Version(), prompt), Prompt: prompt, Reference: jsonText(expected), Completion: " " + strings.Join(calls, "\n"),
		Spec: "tool_call:format=hermes,extra_prose=forbid", Row: jsonText(map[string]any{"tools": tools, "expected": expected}),
		Split: splitOf(p.Name() + ":" + prompt), Difficulty: d,
	}, nil
}

// GuessRate is that of the function with the fewest arguments' values, where it is the one that is asked for.
func (p toolCall) GuessRate(s Setting) (float64, error) {
	if s == (Setting{Preset: PresetDemo}) {
		return 1.0 / 6 / 98 / 10, nil
	}
	_, err := plainDifficulty(p.Name(), s)
	return 1.0 / 8 / 200, err
}

// Degenerate answers make no call, a call more, another call, or talk beside it.
func (toolCall) Degenerate(i Instance) []string {
	right := strings.TrimSpace(i.Completion)
	return []string{
		"", " ", i.Prompt, "[]", "{}", "null", i.Reference + i.Reference, right + "\n" + right, "Sure: " + right, right[:len(right)-1], strings.Replace(right, ":{", `:{"extra":1,`, 1),
		"<tool_call>{}</tool_call>", `<tool_call>{"name":"find_person","arguments":{}}</tool_call>`, `{"tool":"buy","args":{}}`,
	}
}
