package math

import (
	"fmt"
	"strings"
	"testing"
)

// heavy are answers that cost the most for their length. Their work is counted, so each ends in a verdict; the test has no
// clock, and the harness's limit is what would end a hang. BenchmarkHeavy shows the times.
func heavy() [][2]string {
	numbered := func(format, sep string, n int, down bool) string {
		var parts []string
		for i := 1; i <= n; i++ {
			k := i
			if down {
				k = n + 1 - i
			}
			parts = append(parts, fmt.Sprintf(format, k))
		}
		return strings.Join(parts, sep)
	}
	up := func(format, sep string, n int) string { return numbered(format, sep, n, false) }
	down := func(format, sep string, n int) string { return numbered(format, sep, n, true) }
	rep := strings.Repeat
	return [][2]string{
		{`(a+b+c+d)^{64}`, `(a+b+c+d)^{63}(a+b+c+d)`},
		{`((x+1)^{64})^{64}`, `(x+1)^{4096}`},
		{`(x+y+z)^{60}`, `(x+y+z)^{59}(x+y+z)+1`},
		{`\sqrt{` + rep("7", 250) + `}`, `\sqrt{` + rep("7", 249) + `}`},
		{`10000!`, `9999!`},
		{`\binom{10000}{5000}`, `\binom{10000}{4999}`},
		{`3^{10000}+5^{10000}`, `7^{10000}`},
		{`e^{65536}`, `e^{65535}`},
		{`\sin(65536)`, `\cos(65535)`},
		{rep(`\sin(`, 55) + "x" + rep(")", 55), rep(`\sin(`, 54) + "x" + rep(")", 54)},
		{`\{` + up(`\sin(%d)`, ",", 60) + `\}`, `\{` + down(`\cos(\frac{\pi}{2}-%d)`, ",", 60) + `\}`},
		{up(`\sin(%d x)`, "+", 60), up(`\cos(\frac{\pi}{2}-%d x)`, "+", 60)},
		{up(`\sqrt{%d}`, "+", 150), down(`\sqrt{%d}`, "+", 150) + "+0"},
		{rep("(", 2000), "1"},
		{up("%d", ",", 800), down("%d", ",", 800)},
		{`\frac{1}{` + rep(`1+\frac{1}{`, 50) + "x" + rep("}", 50) + "}", "1"},
		{up(`\frac{1}{x+%d}`, "+", 30), down(`\frac{1}{x+%d}`, "+", 30)},
		{`9^{9^{9^9}}`, `9^{9^{9^8}}`},
		{`x^{x^{x^{x}}}`, `x^{x^{x^{x}}}+1`},
		{`1e10000`, `1e9999`},
		{`1e-10000`, `2e-10000`},
		{rep("9", 9999) + "1", rep("9", 10000)},
		{`(\sqrt2+\sqrt3+\sqrt5+\sqrt7+\sqrt{11}+\sqrt{13}+\sqrt{17})^{64}`, `1`},
		{`(2.5)^{9999}`, "1"},
		{"1.5" + rep("+1.5x", 300), "1.5"},
		{up("x>%d", ` \text{ or } `, 40), down("x>%d", ` \text{ or } `, 40)},
	}
}

func TestHeavyAnswersEnd(t *testing.T) {
	for _, profile := range []string{"whole", "last_boxed", "group_boxed"} {
		m := verifier(t, map[string]any{"profile": profile})
		for _, h := range heavy() {
			for _, pair := range [][2]string{h, {h[1], h[0]}} {
				v := m.Judge(candidate(t, pair[1], pair[0]))
				if s, ok := v.Scored(); ok && s.Reason == "" {
					t.Errorf("%.60s against %.60s: no reason", pair[1], pair[0])
				}
			}
		}
	}
}

func BenchmarkHeavy(b *testing.B) {
	m := verifier(b, map[string]any{"profile": "whole"})
	for _, h := range heavy() {
		c := candidate(b, h[1], h[0])
		b.Run(fmt.Sprintf("%.24s", h[0]), func(b *testing.B) {
			for b.Loop() {
				m.Judge(c)
			}
		})
	}
}
