package code

import (
	"strings"
	"testing"
)

func TestExtract(t *testing.T) {
	tests := []struct {
		name, response, entry string
		want                  string
		open                  bool
	}{
		{"no fence", "def f(): pass", "f", "def f(): pass", false},
		{"one", "Sure:\n```python\ndef f(): pass\n```\nDone.", "f", "def f(): pass\n", false},
		{"last", "```python\na = 1\n```\n```python\nb = 2\n```", "", "b = 2\n", false},
		{"the one that defines", "```python\ndef f(): pass\n```\nUse:\n```python\nprint(f())\n```", "f", "def f(): pass\n", false},
		{"class and assignment", "```python\nf = lambda: 1\n```\n```python\nx\n```", "f", "f = lambda: 1\n", false},
		{"tagged before untagged", "```python\ndef f(): 1\n```\n```\ndef f(): 2\n```", "f", "def f(): 1\n", false},
		{"untagged", "```\ndef f(): 2\n```", "f", "def f(): 2\n", false},
		{"other language alone", "```bash\npip install x\n```", "f", "", false},
		{"never closed", "```python\ndef f(): pass", "f", "def f(): pass", true},
		{"closed wins over open", "```python\ndef f(): 1\n```\n```python\ndef f(): 2", "f", "def f(): 1\n", false},
		{"thinking is cut", "<think>```python\ndef f(): 1\n```</think>```python\ndef f(): 2\n```", "f", "def f(): 2\n", false},
		{"longer fence", "````python\ns = '''\n```\n'''\n````", "", "s = '''\n```\n'''\n", false},
		{"tilde", "~~~py\nx\n~~~", "", "x\n", false},
		{"in a list", "1. so:\n   ```python\n   def f():\n       pass\n   ```", "f", "def f():\n    pass\n", false},
		{"windows lines", "```python\r\nx = 1\r\n```\r\n", "", "x = 1\n", false},
		{"inline code", "Use ```x``` here", "", "Use ```x``` here", false},
		{"empty", "", "", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Extract(tt.response, "python", tt.entry); got.Source != tt.want || got.Unterminated != tt.open {
				t.Errorf("got %+v, want %q %v", got, tt.want, tt.open)
			}
		})
	}
}

// FuzzExtract: what is read is part of the response, but for line ends and indentation.
func FuzzExtract(f *testing.F) {
	f.Add("```python\ndef f(): pass\n```", "f")
	f.Add("```\n```", "\x8f")
	f.Add("<think>x</think>~~~\na\n~~~~", "")
	f.Fuzz(func(t *testing.T, response, entry string) {
		e := Extract(response, "python", entry)
		for line := range strings.SplitSeq(e.Source, "\n") {
			if !strings.Contains(strings.ReplaceAll(response, "\r\n", "\n"), line) && !strings.Contains(response, line) {
				t.Errorf("%q is not in %q", line, response)
			}
		}
	})
}

func TestSame(t *testing.T) {
	tests := []struct {
		name, mode, got, want string
		same                  bool
	}{
		{"equal", "lines", "7\n", "7\n", true}, {"no newline", "lines", "7", "7\n", true}, {"trailing blanks", "lines", "7 \t\r\n\n\n", "7", true},
		{"leading blank", "lines", " 7", "7", false}, {"inner blank", "lines", "1  2", "1 2", false}, {"more lines", "lines", "7\n8", "7", false}, {"NUL", "lines", "7\x00", "7", false},
		{"full width", "lines", "７", "7", false}, {"no-break space", "lines", "7\u00a0", "7", false}, {"empty", "lines", "", "", true}, {"empty for something", "lines", "", "7", false},
		{"exact", "exact", "7\n", "7\n", true}, {"exact newline", "exact", "7", "7\n", false},
		{"tokens", "tokens", "1\n 2\t3", "1 2 3", true}, {"tokens differ", "tokens", "1 2", "12", false},
		{"float near", "float", "0.30000000000000004 x", "0.3 x", true}, {"float far", "float", "0.31", "0.3", false}, {"float NaN", "float", "nan", "0.3", false}, {"float inf", "float", "inf", "1e9", false},
		{"float same text", "float", "nan", "nan", true}, {"float count", "float", "1 2", "1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := (&Comparison{Mode: tt.mode, Abs: 1e-9, Rel: 1e-9}).Same(tt.got, tt.want); got != tt.same {
				t.Errorf("%q and %q: %v", tt.got, tt.want, got)
			}
		})
	}
}
