package builtin

import (
	"io/fs"
	"path"
	"testing"
	"testing/fstest"

	"github.com/provenir/provenir/services/trainer/engine"
)

// A configuration that is accepted describes a network that can be built.
func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(plainConfig + "}"))
	f.Add([]byte(plainConfig + `,"num_key_value_heads":2,"rope_scaling":{"type":"linear","factor":2},"eos_token_id":[1,2]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := parseConfig(raw)
		if err != nil {
			if engine.ReasonOf(err) == "" {
				t.Errorf("%v has no reason", err)
			}
			return
		}
		if err := c.Check(); err != nil {
			t.Errorf("accepted and then refused: %v", err)
		}
		if _, err := specials(raw); err != nil {
			t.Errorf("the ids of an accepted configuration: %v", err)
		}
	})
}

// Whatever an index says, only plain names of safetensors files in the folder itself are opened.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"weight_map":{"a":"part-1.safetensors"}}`))
	f.Add([]byte(`{"weight_map":{"a":"../x.safetensors","b":"/y.safetensors"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		files, err := weightFiles(fstest.MapFS{indexFile: &fstest.MapFile{Data: raw}})
		if err != nil {
			return
		}
		for _, name := range files {
			if path.Base(name) != name || !fs.ValidPath(name) || path.Ext(name) != ".safetensors" {
				t.Errorf("%q would be opened", name)
			}
		}
	})
}

func FuzzAdapterConfig(f *testing.F) {
	f.Add([]byte(`{"peft_type":"LORA","r":4,"lora_alpha":8,"bias":"none","target_modules":["q_proj"]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := ReadAdapterConfig(fstest.MapFS{adapterConfig: &fstest.MapFile{Data: raw}})
		if (l == nil) == (err == nil) {
			t.Errorf("%v, %v", l, err)
		}
	})
}
