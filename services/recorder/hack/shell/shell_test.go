package shell

import (
	"fmt"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"words", `echo 'a b' "c\"d" e\ f`, `echo|a b|c"d|e f`},
		{"lists", "a && b || c; d\ne & f", "a\nb\nc\nd\ne&\nf"},
		{"pipes", "cat x | grep y", "cat|x\n~grep|y"},
		{"redirects", "echo 1 > a 2>&1 >>b &>c", "echo|1 >a >>b &>c"},
		{"a here-document", "cat <<'EOF' > tests/test_a.py\nassert True\nEOF\nls", "cat >tests/test_a.py {assert True\n}\nls"},
		{"cd", "cd tests && rm -f test_a.py", "cd|tests\nrm|-f|test_a.py @tests"},
		{"what only starts another", "FOO=1 sudo env X=y rm a", "rm|a"},
		{"substitution", "echo $(cat a | wc -l)", "echo|$(cat a | wc -l)"},
		{"comments", "# rm a\nls # b", "ls"},
		{"an open quote", "echo 'a", "echo|a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var lines []string
			for _, c := range Parse(tt.src) {
				l := strings.Join(c.Words, "|")
				if c.Piped {
					l = "~" + l
				}
				if c.Background {
					l += "&"
				}
				for _, r := range c.Redirects {
					l += " " + r.Op + r.Target
				}
				if c.Here != "" {
					l += " {" + c.Here + "}"
				}
				if c.Dir != "" {
					l += " @" + c.Dir
				}
				lines = append(lines, l)
			}
			if got := strings.Join(lines, "\n"); got != tt.want {
				t.Errorf("%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func FuzzShell(f *testing.F) {
	for _, s := range []string{"a 'b", "cat <<E\nx\nE", "a $((1+(2))) >", "<<", "\\", "a|&b", "(a;b)&"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		total := 0
		for _, c := range Parse(src) {
			if c.Start < 0 || c.End < c.Start || c.End > len(src) {
				t.Fatal(fmt.Sprint("from ", c.Start, " to ", c.End, " of ", len(src)))
			}
			for _, w := range c.Words {
				total += len(w)
			}
			total += len(c.Here)
			_ = c.Name()
		}
		if total > 2*len(src) {
			t.Fatalf("%d bytes of words from %d", total, len(src))
		}
	})
}
