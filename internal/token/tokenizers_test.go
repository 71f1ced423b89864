package token

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// corpus are texts with what pre-tokenizers disagree about.
func corpus() []string {
	out := []string{
		"The quick brown fox jumps over the lazy dog. It's 10:45, we'll be late! I'M, you'Re, THEY'LL",
		"def f(x):\n    return x**2  # comment\n\n\n\tif x >= 12345678: pass\r\n",
		"déjà vu — naïve café, ½ + ² = ? ١٢٣ 四五 Привет, мир! 你好世界 こんにちは",
		"  leading and trailing   \n \n   ", "\t\ttabs\u00a0and\u2003spaces\u0085end", "e\u0301 combining", "<|im_start|>user\nhi<|end|>",
		"a'sb 'tis ſ'ſ 'S 'ſ ''ll", "...!!!\n\n???\r\n\r\n  x", "🙂👍🏽 emoji 1️⃣", "", " ", "\n", "1", "12 345 6789",
	}
	rng := rand.New(rand.NewPCG(5, 5))
	alphabet := []rune("aabcdest'  \n\t\r012ſKé你½.,!?_-\u00a0\u2028λ'SLl")
	for range 300 {
		var b strings.Builder
		for range 1 + rng.IntN(40) {
			b.WriteRune(alphabet[rng.IntN(len(alphabet))])
		}
		out = append(out, b.String())
	}
	return out
}

// Ids equal those of Hugging Face's library, on tokenizers of four families that it trains here.
func TestAgainstTokenizers(t *testing.T) {
	py := os.Getenv("PROVENIR_PYTHON")
	if py == "" {
		py = "python3"
	}
	if err := exec.CommandContext(t.Context(), py, "-c", "import tokenizers").Run(); err != nil {
		t.Skip("needs Python with tokenizers: set PROVENIR_PYTHON to one")
	}
	texts := corpus()
	in, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range []string{"llama3", "qwen2", "gpt2", "smollm"} {
		t.Run(family, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), py, "testdata/train_tokenizer.py", family)
			cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
			raw, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			var want struct {
				Tokenizer string    `json:"tokenizer"`
				EOS       int32     `json:"eos"`
				IDs       [][]int32 `json:"ids"`
			}
			if err := json.Unmarshal(raw, &want); err != nil {
				t.Fatal(err)
			}
			tok, err := Parse([]byte(want.Tokenizer), Special{EOS: &want.EOS})
			if err != nil {
				t.Fatal(err)
			}
			for i, text := range texts {
				if got, err := tok.Encode([]byte(text)); err != nil || !slices.Equal(got, want.IDs[i]) {
					t.Errorf("%q is %v, %v; want %v", text, got, err, want.IDs[i])
				}
			}
		})
	}
}
