package export

import (
	"math"
	"strconv"
	"strings"
	"time"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
)

// nonFinite is the word for a value that is none; empty for a number. The words are those of protobuf's JSON.
func nonFinite(x float64) string {
	switch {
	case math.IsNaN(x):
		return "NaN"
	case math.IsInf(x, 1):
		return "Infinity"
	case math.IsInf(x, -1):
		return "-Infinity"
	}
	return ""
}

// number is the shortest text that reads back as the same float64.
func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func severity(s corev1.Severity) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "SEVERITY_"))
}
