package code

import (
	"time"

	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/text"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Descriptor describes code.
func Descriptor() spec.Descriptor {
	return spec.Descriptor{
		Name: Name, Summary: "the program passes its tests in a sandbox, judged outside of the process that runs it",
		Options: []spec.Option{
			{Name: "task", Type: spec.Choice, Allowed: []string{"func", "stdio", "pytest"}, Default: "func", Doc: "func calls functions, stdio compares what a program prints, pytest collects test functions and classes"},
			{Name: "language", Type: spec.Choice, Allowed: []string{"python", "bash", "c", "cpp", "javascript", "go", "rust", "java"}, Default: "python", Doc: "func and pytest take python only"},
			{Name: "entry_point", Type: spec.Text, Default: "", Doc: "function under test, where the row has no column entry_point"},
			{Name: "module", Type: spec.Text, Default: "solution", Doc: "name by which tests import the candidate"},
			{Name: "timeout", Type: spec.Number, Default: 10.0, Min: sandbox.MinWall.Seconds(), Max: sandbox.MaxWall.Seconds(), Doc: "seconds of wall time of the job; with stdio of each run"},
			{Name: "cpu", Type: spec.Number, Min: 0.1, Max: sandbox.MaxWall.Seconds(), Doc: "seconds of processor time, rounded up; as timeout where absent"},
			{Name: "memory_mb", Type: spec.Integer, Default: int64(512), Min: sandbox.MinMemory >> 20, Max: sandbox.MaxMemory >> 20, Doc: "memory of the job"},
			{Name: "processes", Type: spec.Integer, Default: int64(32), Min: 1, Max: 1024, Doc: "processes and threads of the job"},
			{Name: "files", Type: spec.Integer, Default: int64(64), Min: 8, Max: 4096, Doc: "open files of a process"},
			{Name: "file_mb", Type: spec.Integer, Default: int64(16), Min: 1, Max: 1024, Doc: "size of a file"},
			{Name: "disk_mb", Type: spec.Integer, Default: int64(16), Min: 1, Max: 1024, Doc: "size of /box"},
			{Name: "output_kb", Type: spec.Integer, Default: int64(1024), Min: 1, Max: 65536, Doc: "bytes that may be printed"},
			{Name: "partial", Type: spec.Choice, Allowed: []string{"on", "off"}, Default: "on", Doc: "off pays 1 or 0 instead of the share of tests passed"},
			{Name: "compare", Type: spec.Choice, Allowed: []string{"lines", "exact", "tokens", "float", "starlark"}, Default: "lines", Doc: "how stdio compares"},
			{Name: "program", Type: spec.Text, Default: "", Doc: "of compare=starlark: def compare(stdout, expected, stdin) returns a bool; host functions as of the verifier starlark"},
			{Name: "abs", Type: spec.Number, Default: 1e-9, Min: 0, Max: 1e9, Doc: "absolute tolerance of compare=float"},
			{Name: "rel", Type: spec.Number, Default: 1e-9, Min: 0, Max: 1, Doc: "relative tolerance of compare=float"},
			{Name: "exit_code", Type: spec.Choice, Allowed: []string{"require", "ignore"}, Default: "require", Doc: "whether a program must end with 0"},
			{Name: "objects", Type: spec.Choice, Allowed: []string{"reject", "flag"}, Default: "reject", Doc: "whether tests may compare two objects of the candidate's, which the candidate's own code decides"},
			{Name: "site_packages", Type: spec.Flag, Default: false, Doc: "whether programs may import the packages of the interpreter's installation or virtual environment"},
			{Name: "isolation", Type: spec.Choice, Allowed: []string{"auto", "namespaces", "gvisor"}, Default: "auto", Doc: "what stands between the job and the host"},
			text.FieldsOption(),
		},
	}
}

// options are the descriptor's, read.
type options struct {
	task, language, entry, module, objects, isolation string
	partial, exitCode, sitePackages                   bool
	compare                                           Comparison
	limits                                            sandbox.Limits
	fields                                            verdict.Fields
}

func readOptions(path string, v spec.Values) (options, error) {
	seconds := func(name string) time.Duration {
		f, _ := v.Number(name)
		return time.Duration(f * float64(time.Second))
	}
	number := func(name string) float64 { f, _ := v.Number(name); return f }
	o := options{
		task: v.String("task"), language: v.String("language"), entry: v.String("entry_point"), module: v.String("module"), objects: v.String("objects"),
		isolation: v.String("isolation"), partial: v.String("partial") == "on", exitCode: v.String("exit_code") == "require", sitePackages: v.Flag("site_packages"),
		compare: Comparison{Mode: v.String("compare"), Abs: number("abs"), Rel: number("rel")}, fields: text.FieldsOf(v),
		limits: sandbox.Limits{
			Wall: seconds("timeout"), CPU: seconds("cpu"), Memory: v.Int("memory_mb") << 20, Processes: int(v.Int("processes")), Files: int(v.Int("files")),
			FileSize: v.Int("file_mb") << 20, Box: v.Int("disk_mb") << 20, Output: v.Int("output_kb") << 10,
		}.Fill(),
	}
	if o.task != "stdio" && o.language != sandbox.Python {
		return o, &spec.BadSpecError{Path: path, Field: "language", Value: o.language, Allowed: "python; other languages have task=stdio"}
	}
	if err := o.compare.load(path, v.String("program")); err != nil {
		return o, err
	}
	if o.sitePackages && o.language != sandbox.Python {
		return o, &spec.BadSpecError{Path: path, Field: "site_packages", Value: "true", Allowed: "false; only Python has packages here"}
	}
	if err := o.limits.Check(); err != nil {
		return o, &spec.BadSpecError{Path: path, Field: "limits", Value: err.Error(), Allowed: "see the options' ranges"}
	}
	return o, nil
}
