// Package export writes what a run recorded in the formats of other tools.
//
// It is pure: values in, bytes out. A value that is not finite stays what it was (as text where the format has no such
// number), one that is absent has no row, and nothing is averaged, except in the charts of the HTML report. Sources of the
// formats: RFC 4180 (CSV), the OpenMetrics 1.0 specification, TensorFlow's event.proto, summary.proto and record_writer.
package export

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/services/recorder/metric"
)

// Point is one value of one step.
type Point struct {
	Attempt uint32
	Step    uint64
	metric.Value
	At time.Time // when the step became durable; zero where the log timing does not say
}

// Run is what there is to write.
type Run struct {
	ID        string
	Summary   *recorderv1.RunSummary
	Incidents []Incident
	Logs      []Log
	Charts    []*recorderv1.Series   // thinned out, for the report alone
	Tracked   *recorderv1.TrackedRun // for the report alone; nil where the mesh trained it
	Points    iter.Seq2[Point, error]
}

// Log is one of a run's logs with what is known of its signatures.
type Log struct {
	Name      string
	Size      uint64
	Root      string // hexadecimal
	Signature string // verified, or unchecked with the reason
	Cosigned  string
}

// Format is one way to write a run.
type Format struct {
	Name      string
	MediaType string
	name      func(run string) string
	write     func(w io.Writer, r *Run) error
}

// Filename is what a file of the run should be called.
func (f Format) Filename(run string) string { return f.name(run) }

// Write writes the run.
func (f Format) Write(w io.Writer, r *Run) error { return f.write(w, r) }

func suffix(s string) func(string) string { return func(run string) string { return run + s } }

// Formats lists what this build can write.
func Formats() []Format {
	return []Format{
		{"csv", "text/csv; charset=utf-8; header=present", suffix(".csv"), writeCSV},
		{"html", "text/html; charset=utf-8", suffix(".html"), writeHTML},
		{"jsonl", "application/x-ndjson", suffix(".jsonl"), writeJSONL},
		{"openmetrics", "application/openmetrics-text; version=1.0.0; charset=utf-8", suffix(".om.txt"), writeOpenMetrics},
		{"parquet", "application/vnd.apache.parquet", suffix(".parquet"), writeParquet},
		// TensorBoard reads only files with tfevents in their name.
		{"tensorboard", "application/octet-stream", func(run string) string { return "events.out.tfevents.0." + run }, writeTensorBoard},
	}
}

// UnknownError is a format that nobody has heard of.
type UnknownError struct{ Format string }

func (e *UnknownError) Error() string {
	var names []string
	for _, f := range Formats() {
		names = append(names, f.Name)
	}
	return fmt.Sprintf("no export format is called %q; there are %s", e.Format, strings.Join(names, ", "))
}

// UnavailableError is a format that the recorder does not write, with what to do instead.
type UnavailableError struct{ Format, Instead string }

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("the recorder does not write %s: %s", e.Format, e.Instead)
}

var instead = map[string]string{
	"wandb":  "`provenir run export RUN --format wandb` writes an offline run where the wandb package is installed",
	"mlflow": "`provenir run export RUN --format mlflow --to URL` sends it from the machine that can reach the tracking server",
	"otlp":   "`provenir run export RUN --format otlp --to URL` sends it from the machine that can reach the collector",
}

// Lookup finds a format by its name.
func Lookup(name string) (Format, error) {
	all := Formats()
	if i := slices.IndexFunc(all, func(f Format) bool { return f.Name == name }); i >= 0 {
		return all[i], nil
	}
	if do, ok := instead[name]; ok {
		return Format{}, &UnavailableError{name, do}
	}
	return Format{}, &UnknownError{name}
}
