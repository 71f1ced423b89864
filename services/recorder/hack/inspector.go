package hack

import (
	"slices"
	"unsafe"

	"github.com/klauspost/compress/flate"

	"github.com/provenir/provenir/services/recorder/hack/pyast"
)

// MaxRow bounds what is read of a row, in bytes; a larger one is refused by its callers.
const MaxRow = 4 << 20

// Inspector looks at rows, one after the other, and keeps its memory between them. It is not safe for concurrent use: a pool
// has one a worker.
type Inspector struct {
	parser pyast.Parser
	pieces []piece
	row    *Row
	out    Result
	task   task
	names  map[string]string
	made   map[string]bool
	flate  *flate.Writer
}

// NewInspector gives one that is ready.
func NewInspector() *Inspector {
	return &Inspector{names: map[string]string{}, made: map[string]bool{}}
}

// Inspect judges a row. The result shares no memory with it.
func (in *Inspector) Inspect(row *Row) Result {
	in.row, in.out = row, Result{}
	response := unsafe.String(unsafe.SliceData(row.Response), len(row.Response)) // Row.Response does not change while we read it
	in.evidence()
	in.collect(response)
	if len(in.pieces) > 0 {
		in.readTask()
		for i := range in.pieces {
			in.code(&in.pieces[i])
		}
	}
	in.texts(response)
	in.missing()
	in.settle()
	out := in.out
	in.row, in.out = nil, Result{}
	return out
}

// note adds a finding with a part of a field.
func (in *Inspector) note(f Finding, field string) {
	if f.End > f.Start {
		f.Quote = clip(field[f.Start:min(f.End, len(field))])
	}
	for i := range in.out.Findings {
		g := &in.out.Findings[i]
		if g.Kind == f.Kind && g.Tier == f.Tier && g.Where == f.Where && g.Definite == f.Definite && (g.Start == f.Start || g.Detail == f.Detail) {
			return // once is enough
		}
	}
	if len(in.out.Findings) >= 4*maxFindings {
		return
	}
	in.out.Findings = append(in.out.Findings, f)
}

func (in *Inspector) unchecked(what string) {
	if !slices.Contains(in.out.Unchecked, what) && len(in.out.Unchecked) < maxFindings {
		in.out.Unchecked = append(in.out.Unchecked, what)
	}
}

// missing lists what the row does not allow to look at.
func (in *Inspector) missing() {
	r := in.row
	if !r.Verified && len(r.Evidence) == 0 && len(r.Tamper) == 0 {
		in.unchecked("sandbox")
	}
	if !finite(r.Proxy) || !finite(r.Heldout) {
		in.unchecked(ProxyDivergence)
	}
	if r.Reference == "" {
		in.unchecked(AnswerLeakage)
	}
	if len(in.pieces) > 0 && len(in.task.pairs) == 0 {
		in.unchecked(SpecialCasing)
	}
	if r.Group == "" {
		in.unchecked(LengthInflation)
	}
}

// settle orders the findings and makes the score.
func (in *Inspector) settle() {
	slices.SortStableFunc(in.out.Findings, func(a, b Finding) int { return b.weight() - a.weight() })
	if len(in.out.Findings) > maxFindings {
		in.out.Findings = in.out.Findings[:maxFindings]
	}
	in.out.rescore()
}
