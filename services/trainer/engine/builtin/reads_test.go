package builtin

import "testing"

// What rows are checked against before a run is what the engine has when it runs.
func TestReadsIsWhatTheEngineHas(t *testing.T) {
	e := demoEngine(t, 1, 1)
	for _, c := range []struct {
		name    string
		context int
		want    int
	}{{"the model's own", 0, e.Info().Context}, {"shorter", 16, 16}, {"longer", 1 << 20, e.Info().Context}} {
		init := Demo()
		tok, room, err := Reads(Config{Init: &init, Context: c.context})
		if err != nil || room != c.want || tok.Digest() != e.Tokenizer().Digest() {
			t.Errorf("%s: room for %d tokens, %v; want %d", c.name, room, err, c.want)
		}
	}
	if _, _, err := Reads(Config{Init: &Init{Dim: -1}}); err == nil {
		t.Error("a model that cannot be was read")
	}
}
