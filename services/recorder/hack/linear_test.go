package hack

import (
	"strings"
	"testing"
)

// BenchmarkHostile is what a policy may write to stall its judge: each is 256 KiB, and none may cost more than a few
// times what others do.
func BenchmarkHostile(b *testing.B) {
	for _, s := range []string{"(", "f'{", "x=1\n", "if x:\n", "try:\n pass\nexcept !:\n", "'", "\\boxed{", "\\boxed{1}", "```\n", "```python\nf()\n```\n", "def f(): pass\n", "class A: pass\n", "a.b=c\n", "[", "@a\n", "ha",
		"Answer: 1\n", "<answer>", "f(x)(", "lambda:", "not ", "- ", "x if ", "a==b==", "os.fork()\n", "'''", "'a' ", "with (", "match x:\n", "class A:\n", "0,", "<think>", "exec('x')\n", "f(a=", "import a\n", "{1:"} {
		text := "```python\n" + strings.Repeat(s, 256<<10/len(s)) + "\n```"
		b.Run(strings.ReplaceAll(s, "\n", "/"), func(b *testing.B) {
			in := NewInspector()
			for b.Loop() {
				in.Inspect(&Row{Response: []byte(text)})
			}
		})
	}
}
