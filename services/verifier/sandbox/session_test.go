//go:build linux

package sandbox

import (
	"math/big"
	"reflect"
	"testing"
	"time"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

func TestSessionCalls(t *testing.T) {
	big1, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	tests := []struct {
		name, source string
		args         plain.Tuple
		want         Answer
	}{
		{"int", "def f(a, b): return a + b", plain.Tuple{int64(1), int64(2)}, Answer{Value: int64(3)}},
		{"big", "def f(a): return a", plain.Tuple{big1}, Answer{Value: big1}},
		{"negative big", "def f(a): return -a * 10**30", plain.Tuple{int64(1)}, Answer{Value: new(big.Int).Neg(new(big.Int).Exp(big.NewInt(10), big.NewInt(30), nil))}},
		{"nested", "def f(a): return [a, (1, None), {'k': 1.5}]", plain.Tuple{plain.Str("sé")}, Answer{Value: plain.List{plain.Str("sé"), plain.Tuple{int64(1), nil}, plain.Dict{{Key: plain.Str("k"), Value: 1.5}}}}},
		{"bytes", "def f(): return b'abc'", plain.Tuple{}, Answer{Value: plain.Bytes("abc")}},
		{"subclass", "class I(int):\n    def __eq__(self, o): return True\n    __hash__ = int.__hash__\ndef f(): return I(7)", plain.Tuple{}, Answer{Value: int64(7)}},
		{"raises", "def f(): raise KeyError('x')", plain.Tuple{}, Answer{Raised: &Raised{Name: "KeyError", Base: "KeyError", Text: "x"}}},
		{"missing", "def g(): pass", plain.Tuple{}, Answer{Missing: true}},
		{"gone", "import os\ndef f(): os._exit(0)", plain.Tuple{}, Answer{Gone: true}},
		{"deep", "def f():\n    x = []\n    for _ in range(500): x = [x]\n    return x", plain.Tuple{}, Answer{Malformed: "nested deeper than 200"}},
	}
	tiers(t, func(t *testing.T, p *Pool) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				s, load, err := p.Open(t.Context(), Job{Source: tt.source, Limits: Limits{Wall: 20 * time.Second}})
				if err != nil || load != (Load{}) {
					t.Fatal(load, err)
				}
				got := s.Call("f", tt.args, nil)
				if tt.want.Malformed != "" {
					if got.Malformed == "" {
						t.Errorf("got %+v, want a malformed answer", got)
					}
				} else if !reflect.DeepEqual(got, tt.want) {
					t.Errorf("got %+v, want %+v", got, tt.want)
				}
				if _, err := s.Close(got.Raised, got.Gone); err != nil {
					t.Error(err)
				}
			})
		}
	})
}

func TestSessionLoad(t *testing.T) {
	tests := []struct {
		name, source string
		ok           func(Load) bool
		limit        Limit
	}{
		{"syntax", "def f(:", func(l Load) bool { return l.CompileError != "" }, NoLimit},
		{"nul", "x = 1\x00", func(l Load) bool { return l.CompileError != "" }, NoLimit},
		{"not UTF-8", "x = '\xff'", func(l Load) bool { return l.CompileError != "" }, NoLimit},
		{"exit", "raise SystemExit", func(l Load) bool { return l.Raised != nil && l.Raised.Name == "SystemExit" }, NoLimit},
		{"hard exit", "import os; os._exit(0)", func(l Load) bool { return l.Gone }, NoLimit},
		{"loop", "while 1: pass", func(l Load) bool { return l.Gone }, Timeout},
		{"many brackets", "x = " + string(make([]byte, 0)) + "[[[[" + "[", func(l Load) bool { return l.CompileError != "" }, NoLimit},
	}
	tiers(t, func(t *testing.T, p *Pool) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				wall := 20 * time.Second
				if tt.limit == Timeout {
					wall = 300 * time.Millisecond
				}
				s, load, err := p.Open(t.Context(), Job{Source: tt.source, Limits: Limits{Wall: wall}})
				if err != nil {
					t.Fatal(err)
				}
				r, err := s.Close(load.Raised, load.Gone)
				if err != nil || !tt.ok(load) || r.Limit != tt.limit {
					t.Errorf("load %+v result %+v %v", load, r, err)
				}
			})
		}
	})
}
