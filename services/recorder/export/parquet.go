package export

import (
	"fmt"
	"io"
	"time"

	"github.com/parquet-go/parquet-go"
)

// parquetRow is a value. A double column could hold NaN, but not every reader keeps it apart from a null: what is not
// finite has a column of its own, as in CSV and JSONL.
type parquetRow struct {
	Attempt    int32      `parquet:"attempt"`
	Step       int64      `parquet:"step"`
	Metric     string     `parquet:"metric,dict"`
	Scope      string     `parquet:"scope,dict"`
	Value      *float64   `parquet:"value,optional"`
	NonFinite  *string    `parquet:"non_finite,optional"`
	Estimator  string     `parquet:"estimator,dict"`
	Reduction  string     `parquet:"reduction,dict"`
	Unit       string     `parquet:"unit,dict"`
	N          *int64     `parquet:"n,optional"`
	RawKey     string     `parquet:"raw_key,dict"`
	RecordedAt *time.Time `parquet:"recorded_at,optional,timestamp(microsecond)"`
}

// rowGroup bounds what the writer holds.
const rowGroup = 64 << 10

func writeParquet(w io.Writer, r *Run) error {
	out := parquet.NewGenericWriter[parquetRow](w, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(rowGroup),
		parquet.KeyValueMetadata("provenir.run", r.ID))
	for p, err := range r.Points {
		if err != nil {
			return err
		}
		if _, err := out.Write([]parquetRow{parquetRowOf(p)}); err != nil {
			return fmt.Errorf("write parquet: %w", err)
		}
	}
	return out.Close()
}

func parquetRowOf(p Point) parquetRow {
	row := parquetRow{Attempt: int32(p.Attempt), Step: int64(p.Step), Metric: p.Name, Scope: p.Scope, Estimator: p.Estimator, Reduction: p.Reduction,
		Unit: p.Unit, RawKey: p.Raw}
	if p.Finite() {
		row.Value = &p.X
	} else {
		word := nonFinite(p.X)
		row.NonFinite = &word
	}
	if p.N > 0 {
		n := int64(p.N)
		row.N = &n
	}
	if !p.At.IsZero() {
		at := p.At.UTC()
		row.RecordedAt = &at
	}
	return row
}
