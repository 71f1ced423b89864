package slices

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

func read(t *testing.T, o *options, in string) (*recorderv1.AnalyzeSlicesRequest, int, string, error) {
	t.Helper()
	var errs bytes.Buffer
	o.in = "-"
	req, bad, err := o.read(&app.App{In: strings.NewReader(in), Out: t.Output(), Err: &errs})
	return req, bad, errs.String(), err
}

func TestRows(t *testing.T) {
	yes, no, n := true, false, uint64(7)
	for _, c := range []struct {
		name, in string
		by       []string
		want     *recorderv1.SliceRow // nil: the row is refused
		why      string
	}{
		{"slices", `{"passed":true,"slices":{"a":"x"}}`, nil, &recorderv1.SliceRow{Slices: map[string]string{"a": "x"}, Passed: &yes}, ""},
		{"columns", `{"passed":false,"source":"gsm8k","level":3,"hard":true}`, []string{"source", "level", "hard"},
			&recorderv1.SliceRow{Slices: map[string]string{"source": "gsm8k", "level": "3", "hard": "true"}, Passed: &no}, ""},
		{"both, with a length", `{"passed":false,"slices":{"a":"x"},"b":"y","length":7}`, []string{"b"},
			&recorderv1.SliceRow{Slices: map[string]string{"a": "x", "b": "y"}, Passed: &no, Length: &n}, ""},
		{"unscored: missing", `{"slices":{"a":"x"}}`, nil, &recorderv1.SliceRow{Slices: map[string]string{"a": "x"}}, ""},
		{"unscored: null", `{"passed":null,"slices":{"a":"x"}}`, nil, &recorderv1.SliceRow{Slices: map[string]string{"a": "x"}}, ""},
		{"unscored: a line of verify", `{"status":"unscored","passed":false,"slices":{"a":"x"}}`, nil, &recorderv1.SliceRow{Slices: map[string]string{"a": "x"}}, ""},
		{"a value that is missing is unknown", `{"passed":true}`, []string{"a"}, &recorderv1.SliceRow{Slices: map[string]string{"a": ""}, Passed: &yes}, ""},
		{"source and difficulty come by themselves", `{"passed":true,"source":"gsm8k","difficulty":3}`, nil,
			&recorderv1.SliceRow{Slices: map[string]string{"source": "gsm8k", "difficulty": "3"}, Passed: &yes}, ""},
		{"what slices say counts", `{"passed":true,"source":"gsm8k","slices":{"source":"mine"}}`, nil,
			&recorderv1.SliceRow{Slices: map[string]string{"source": "mine"}, Passed: &yes}, ""},
		{"a source that is no dimension", `{"passed":true,"source":{"url":"x"},"slices":{"a":"x"}}`, nil, &recorderv1.SliceRow{Slices: map[string]string{"a": "x"}, Passed: &yes}, ""},
		{"a response has a length", `{"passed":true,"response":"sieben‰"}`, nil, &recorderv1.SliceRow{Passed: &yes, Length: &n}, ""},
		{"a response that is null has none", `{"passed":true,"response":null}`, nil, nil, "line 1: it has no slices"},
		{"no dimension", `{"passed":true}`, nil, nil, "line 1: it has no slices, no length, no response, and --by names no column"},
		{"passed is a number", `{"passed":1,"slices":{"a":"x"}}`, nil, nil, "line 1: passed: want true, false or null"},
		{"a value is a list", `{"passed":true,"slices":{"a":[1]}}`, nil, nil, "line 1: slices.a: want a text"},
		{"slices are a list", `{"passed":true,"slices":[1]}`, nil, nil, "line 1: slices: want an object"},
		{"length is negative", `{"passed":true,"slices":{"a":"x"},"length":-1}`, nil, nil, "line 1: length: want a whole number"},
		{"no JSON", `{`, nil, nil, "line 1: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, bad, errs, err := read(t, &options{by: c.by}, c.in)
			if err != nil {
				t.Fatal(err)
			}
			if c.want == nil {
				if bad != 1 || len(req.GetRows()) != 0 || !strings.Contains(errs, c.why) {
					t.Errorf("%d bad, %v, %q", bad, req, errs)
				}
				return
			}
			if bad != 0 || len(req.GetRows()) != 1 || !proto.Equal(req.GetRows()[0], c.want) {
				t.Errorf("%v", req)
			}
		})
	}
}

// A hundred thousand bad rows are counted, and twenty of them told.
func TestManyBadRows(t *testing.T) {
	req, bad, errs, err := read(t, &options{by: []string{"a"}}, strings.Repeat("{\"passed\":2}\n", 500)+`{"passed":true}`)
	if err != nil || bad != 500 || len(req.GetRows()) != 1 || strings.Count(errs, "line ") != 20 {
		t.Errorf("%d bad, %d rows, %v, %q", bad, len(req.GetRows()), err, errs)
	}
}

// More than a message takes is refused by its line, and not by a limit that nobody knows.
func TestTooMuch(t *testing.T) {
	var in strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&in, "{\"passed\":true,\"a\":\"%d%s\"}\n", i, strings.Repeat("x", 4000))
	}
	_, _, _, err := read(t, &options{by: []string{"a"}}, in.String())
	if app.Code(err) != app.CodeUsage || !strings.Contains(err.Error(), "take a sample") {
		t.Errorf("%v", err)
	}
}

func TestFlags(t *testing.T) {
	good := options{in: "x", fdr: 0.1, support: 20}
	for name, change := range map[string]func(*options){
		"no file": func(o *options) { o.in = "" }, "a share of 0": func(o *options) { o.fdr = 0 }, "a share of 1": func(o *options) { o.fdr = 1 },
		"no support": func(o *options) { o.support = 0 }, "lines below 0": func(o *options) { o.top = -1 },
	} {
		o := good
		change(&o)
		if o.check() == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if err := good.check(); err != nil {
		t.Error(err)
	}
}

func TestTable(t *testing.T) {
	var out, errs bytes.Buffer
	a := &app.App{Out: &out, Err: &errs}
	got := &recorderv1.AnalyzeSlicesResponse{Slices: []*recorderv1.SliceRate{
		{Slice: "source=a\tb\x1b[31m", Failures: 30, Support: 40, Unscored: 2, Rate: proto.Float64(0.75), RateLow: proto.Float64(0.6), RateHigh: proto.Float64(0.86), P: proto.Float64(1e-9), Significant: true},
		{Slice: "source=c", Unscored: 3, Thin: true}, {Slice: "more"}}}
	if err := (&options{top: 2}).table(a, got); err != nil {
		t.Fatal(err)
	}
	want := "SLICE                FAILED  OF  UNSCORED  RATE   95 % INTERVAL   P      \n" +
		"source=a b [31m      30      40  2         0.750  0.600 to 0.860  1e-09  significant\n" +
		"source=c             0       0   3         -      -               -      thin\n"
	if strings.Join(strings.Fields(out.String()), " ") != strings.Join(strings.Fields(want), " ") || strings.Contains(out.String(), "\x1b") || !strings.Contains(errs.String(), "1 more slices") {
		t.Errorf("%q, %q", out.String(), errs.String())
	}
}
