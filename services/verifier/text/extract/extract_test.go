package extract

import (
	"strings"
	"testing"
)

func pieces(s string, p Profile) []string {
	f := In(s, p)
	var out []string
	f.Each(func(p Piece) bool {
		out = append(out, p.Text)
		return true
	})
	return out
}

func TestFirstPiece(t *testing.T) {
	tests := []struct {
		name    string
		profile Profile
		text    string
		want    string // of the first piece; "-" for none
	}{
		{"box", LastBoxed, `so \boxed{42}.`, "42"},
		{"last box counts", LastBoxed, `\boxed{1} or rather \boxed{2}`, "2"},
		{"nested braces", LastBoxed, `\boxed{\frac{1}{2}}`, `\frac{1}{2}`},
		{"escaped brace", LastBoxed, `\boxed{\{1,2\}}`, `\{1,2\}`},
		{"fbox", LastBoxed, `\fbox{7}`, "7"},
		{"blank before the brace", LastBoxed, `\boxed {7}`, "7"},
		{"without backslash", LastBoxed, `boxed{7}`, "7"},
		{"box in thought is cut", LastBoxed, `<think>\boxed{1}</think> 5`, "5"},
		{"thought without opening", LastBoxed, `hm 4 </think>\boxed{5}`, "5"},
		{"thought that never ends", LastBoxed, `<think> \boxed{5}`, "-"},
		{"end of turn", LastBoxed, `\boxed{5}<|im_end|>\boxed{6}`, "5"},
		{"empty last box", LastBoxed, `\boxed{5} \boxed{}`, ""},
		{"unterminated at the end", LastBoxed, `it is \boxed{42`, "42"},
		{"unterminated in the middle", LastBoxed, "it is \\boxed{42\nand the answer is 3", "3"},
		{"word with box", LastBoxed, `the boxes {3} hold 5`, `the boxes {3} hold 5`},
		{"answer is", LastBoxed, "First 3.\nThe answer is 42. Bye", "42"},
		{"decimal in the answer", LastBoxed, "The answer is 3.14.", "3.14"},
		{"answer:", LastBoxed, "Answer: 7 because of that", "7"},
		{"bold", LastBoxed, "**Answer:** 7", "7"},
		{"result", LastBoxed, "the result = 9", "9"},
		{"hashes", LastBoxed, "working 1 2 3\n#### 1,234", "1,234"},
		{"answer in the next line", LastBoxed, "The answer is:\n42", "42"},
		{"delimited after a long text", LastBoxed, strings.Repeat("words ", 50) + `$\frac12$ ok`, `\frac12`},
		{"hashes", FinalAnswer, "a 7+5=12, 4+2=7 #### 72", "72"},
		{"last of two", FinalAnswer, "#### 72 #### 73", "73"},
		{"line A:", FinalAnswer, "words\nA: 18", "18"},
		{"A: within a line", FinalAnswer, "words A: 18", "-"},
		{"answer is is not final", FinalAnswer, "the answer is 5", "-"},
		{"box", FinalAnswer, `it is \boxed{5}`, "5"},
		{"number alone", FinalAnswer, "5", "-"},
		{"empty", FinalAnswer, "#### ", "-"},
		{"whole", Whole, " 5 cm\n", "5 cm"},
		{"whole of nothing", Whole, "  ", "-"},
		{"I hope", GroupBoxed, `The final answer is $5$. I hope it is correct. The answer is 6`, "$5$"},
		{"neighbours", GroupBoxed, `\boxed{1} and \boxed{2}`, "1, 2"},
		{"far boxes", GroupBoxed, `\boxed{1} is wrong, so \boxed{2}`, "2"},
		{"delimited", GroupBoxed, `we get $x$ and then $y$ by a long way ` + strings.Repeat("on ", 80), "y"},
	}
	for _, tt := range tests {
		t.Run(string(tt.profile)+" "+tt.name, func(t *testing.T) {
			got := pieces(tt.text, tt.profile)
			switch {
			case len(got) == 0 && tt.want != "-":
				t.Errorf("found nothing, want %q", tt.want)
			case len(got) > 0 && got[0] != tt.want:
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEmptyLastBoxEndsTheSearch(t *testing.T) {
	if got := pieces(`\boxed{5} so \boxed{} 7`, LastBoxed); len(got) != 1 || got[0] != "" {
		t.Errorf("found %q, want one empty piece", got)
	}
}

func TestFindings(t *testing.T) {
	f := In(`\boxed{1}\boxed{2}\boxed{1`, LastBoxed)
	if !f.MultipleBoxes() || !f.Boxes().Unterminated {
		t.Errorf("boxes %+v", f.Boxes())
	}
	f = In(`\boxed{1} \boxed{ 1 }`, LastBoxed)
	if f.MultipleBoxes() {
		t.Error("the same box twice counts as different")
	}
}

func TestOffsetsPointIntoTheResponse(t *testing.T) {
	for _, s := range []string{
		`<think>x</think> The answer is  **42**. Bye`, `a \boxed{ 7 } b`, `so $x+1$ it is`, "line\n 12 \n", "it costs $5 or 7%",
	} {
		for _, p := range []Profile{LastBoxed, GroupBoxed, FinalAnswer, Whole} {
			f := In(s, p)
			f.Each(func(q Piece) bool {
				if q.Start < 0 || q.End > len(s) || (q.Source != Delimited && q.Source != Anchor && !strings.Contains(q.Text, ", ") && s[q.Start:q.End] != q.Text) {
					t.Errorf("%s of %q: %q is at %d–%d", p, s, q.Text, q.Start, q.End)
				}
				return true
			})
		}
	}
}

func TestLastNumber(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", "first 1 then 42", "42"},
		{"thousands", "about 1,234 in all", "1,234"},
		{"negative", "it is -5.", "-5"},
		{"range is not a sign", "pages 3-5", "5"},
		{"decimal", "x .5 y", ".5"},
		{"percent", "some 20% more", "20%"},
		{"money", "costs $18.", "$18"},
		{"in a word", "room a42", ""},
		{"exponent", "x^2 is it, of 7", "7"},
		{"only in math", "x^2", ""},
		{"none", "nothing", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, _ := lastNumber(tt.text, 0)
			if p.Text != tt.want {
				t.Errorf("found %q, want %q", p.Text, tt.want)
			}
		})
	}
}

func FuzzEach(f *testing.F) {
	f.Add(`\boxed{\frac{1}{2}} and $x$ the answer is 5. I hope it is correct`)
	f.Add("<think>a</think>#### 5\nA: 7")
	f.Add(strings.Repeat(`\boxed{`, 100))
	f.Fuzz(func(t *testing.T, s string) {
		for _, p := range []Profile{LastBoxed, GroupBoxed, FinalAnswer, Whole} {
			found := In(s, p)
			n := 0
			found.Each(func(q Piece) bool {
				n++
				if q.Start < 0 || q.End < q.Start || q.End > len(s) {
					t.Fatalf("%q at %d–%d of %d", q.Text, q.Start, q.End, len(s))
				}
				return true
			})
			if n > len(s)+300 {
				t.Fatalf("%d pieces of %d bytes", n, len(s))
			}
		}
	})
}

func BenchmarkLastBoxed(b *testing.B) {
	s := strings.Repeat("Some words with 3 numbers. ", 40) + `\boxed{42}`
	for b.Loop() {
		f := In(s, LastBoxed)
		f.Each(func(Piece) bool { return false })
	}
}

// Delimiters that never close must not make the scan quadratic: the megabyte below took minutes that way. The test has
// no clock; the harness's own time limit is what would end it.
func TestOpenDelimitersAreScannedOnce(t *testing.T) {
	for _, open := range []string{`\(`, `\[`, "$ ", `\boxed{`, "answer is ", "#### ", "$\n", "1a"} {
		s := strings.Repeat(open, 1<<20/len(open))
		for _, p := range []Profile{LastBoxed, GroupBoxed, FinalAnswer} {
			f := In(s, p)
			f.Each(func(Piece) bool { return true })
		}
	}
}
