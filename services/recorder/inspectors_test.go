package recorder

import (
	"fmt"
	"strings"
	"testing"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/services/recorder/hack"
)

// Results keep the order of the rows, however many judge them, and a row that the inspection fails on takes no other with it.
func TestInspectorsKeepTheOrder(t *testing.T) {
	for _, n := range []int{0, 1, 2, 7, 300} {
		in := newInspectors()
		for len(in.each) < 5 {
			in.each = append(in.each, hack.NewInspector())
		}
		in.judge = func(one *hack.Inspector, row *hack.Row) hack.Result {
			if row.Prompt == "13" {
				panic("a letter that nobody thought of")
			}
			return one.Inspect(row)
		}
		var rows []*recorderv1.Trajectory
		for i := range n {
			text := "The answer is 4."
			if i%3 == 1 {
				text = "import sys\nsys.exit(0)"
			}
			rows = append(rows, &recorderv1.Trajectory{Id: fmt.Sprint(i), Prompt: fmt.Sprint(i), Response: text})
		}
		for range 2 { // the ones that failed are ready again
			for i, r := range in.inspect(rows) {
				switch {
				case i == 13:
					if !strings.Contains(r.why, "not judged") || !strings.Contains(r.why, "nobody thought of") {
						t.Errorf("row 13: %q", r.why)
					}
				case r.why != "" || r.row.Prompt != fmt.Sprint(i) || r.result.Hacked != (i%3 == 1):
					t.Errorf("%d rows, row %d: %q, %+v", n, i, r.why, r.result)
				}
			}
		}
	}
}
