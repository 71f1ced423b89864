package export

import (
	"io"
	"strconv"
	"strings"
)

var columns = []string{"attempt", "step", "metric", "scope", "value", "non_finite", "estimator", "reduction", "unit", "n", "raw_key", "recorded_at"}

// writeCSV writes a row a value, as RFC 4180 has it. encoding/csv is not used: with CRLF ends it rewrites line breaks inside
// of fields, and a key that an engine wrote must come back as it was.
func writeCSV(w io.Writer, r *Run) error {
	if err := csvRow(w, columns); err != nil {
		return err
	}
	for p, err := range r.Points {
		if err != nil {
			return err
		}
		value, n := "", "" // 0 rows behind a value means that nobody said how many
		if p.Finite() {
			value = number(p.X)
		}
		if p.N > 0 {
			n = strconv.FormatUint(p.N, 10)
		}
		if err := csvRow(w, []string{strconv.FormatUint(uint64(p.Attempt), 10), strconv.FormatUint(p.Step, 10), p.Name, p.Scope, value,
			nonFinite(p.X), p.Estimator, p.Reduction, p.Unit, n, p.Raw, stamp(p.At)}); err != nil {
			return err
		}
	}
	return nil
}

func csvRow(w io.Writer, fields []string) error {
	var b strings.Builder
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		if strings.ContainsAny(f, ",\"\r\n") || strings.HasPrefix(f, " ") || strings.HasSuffix(f, " ") {
			f = `"` + strings.ReplaceAll(f, `"`, `""`) + `"`
		}
		b.WriteString(f)
	}
	b.WriteString("\r\n")
	_, err := io.WriteString(w, b.String())
	return err
}
