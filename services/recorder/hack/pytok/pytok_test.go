package pytok

import (
	"strings"
	"testing"
)

func kinds(src string) string {
	names := [...]string{End: "$", Newline: "/", Indent: ">", Dedent: "<", Name: "n", Number: "0", String: "s", Op: "o", Bad: "?"}
	var b strings.Builder
	for _, t := range Append(nil, src) {
		b.WriteString(names[t.Kind])
	}
	return b.String()
}

func TestKinds(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"nothing", "", "$"},
		{"a call", "f(1, x)", "no0ono/$"},
		{"a block", "if x:\n  y\nz", "nno/>n/<n/$"},
		{"tabs and blank lines", "if x:\n\ty\n\n  # no\n\tz\n", "nno/>n/n/<$"},
		{"joined in brackets", "f(\n 1,\n 2)\n", "no0o0o/$"},
		{"joined by a backslash", "x = 1 + \\\n 2", "no0o0/$"},
		{"comments", "x # 'no'\n# no\n", "n/$"},
		{"prefixes", `rb'a' Rb"a" f'{x}' u'a' br'' bu''`, "sssssns/$"},
		{"three quotes", "'''a\n'b'\n''' x", "sn/$"},
		{"a string that is open", "x = 'abc\ny", "nos/n/$"},
		{"a field with the same quotes", `f'{d['a']}' x`, "sn/$"},
		{"a field in a field", `f"{x:{w}}" x`, "sn/$"},
		{"a format that is not closed", "f'{' x\ny", "s/n/$"},
		{"numbers", "0x_fF 1_000.5e-3 1e+5 .5 3j 0b1", "000000/$"},
		{"operators", "a **= b // c -> d := e != f", "nononononon/$"},
		{"an open bracket before a definition", "x = (1,\ndef f(): pass", "noo0o/nnooon/$"},
		{"letters of other scripts", "größe = 変数", "non/$"},
		{"what is no Python", "a ? b $ €", "n?n??/$"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := kinds(tt.src); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestBody(t *testing.T) {
	tests := []struct{ src, want string }{
		{`'a'`, "a"}, {`rb"""a"b"""`, `a"b`}, {`''`, ""}, {`'open`, "open"}, {`'''`, ""}, {`f'{x}'`, "{x}"},
	}
	for _, tt := range tests {
		if got := Append(nil, tt.src)[0].Body(tt.src); got != tt.want {
			t.Errorf("%s holds %q, want %q", tt.src, got, tt.want)
		}
	}
}

func FuzzPyTokens(f *testing.F) {
	for _, s := range []string{"def f(x):\n\treturn f'{x!r:>{w}}'\n", "'''", "f'{f\"{", "\\\n", "x = (\n@a\ndef", "\xff\xfe", "if a:\n  b\n c\n", strings.Repeat("f'{", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		toks := Append(nil, src)
		if n := len(toks); n == 0 || toks[n-1].Kind != End || n > 4*len(src)+4 {
			t.Fatalf("%d tokens of %d bytes", n, len(src))
		}
		at, level := int32(0), 0
		for _, k := range toks {
			if k.Start < at || k.End < k.Start || int(k.End) > len(src) {
				t.Fatalf("token %v behind %d of %d", k, at, len(src))
			}
			at = k.End
			switch k.Kind {
			case Indent:
				level++
			case Dedent:
				level--
			case String:
				k.Body(src)
			}
		}
		if level != 0 {
			t.Fatalf("%d levels stay open", level)
		}
	})
}
