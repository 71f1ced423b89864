package verifier

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/verifier/sandbox"
)

// GetIsolationReport says what isolates programs on this machine.
func (s *Service) GetIsolationReport(ctx context.Context, _ *verifierv1.GetIsolationReportRequest) (*verifierv1.GetIsolationReportResponse, error) {
	r, err := s.sandbox.Report(ctx)
	if err != nil {
		return nil, sandboxProblem(err)
	}
	return &verifierv1.GetIsolationReportResponse{Report: reportMessage(r)}, nil
}

func reportMessage(r *sandbox.Report) *verifierv1.IsolationReport {
	m := &verifierv1.IsolationReport{
		Tier: uint32(r.Tier), MinTier: uint32(r.MinTier), Kernel: r.Kernel, CgroupMode: r.CgroupMode,
		Interpreters: r.Interpreters, Languages: r.Languages, Remedies: r.Remedies,
	}
	for _, l := range r.Layers {
		m.Layers = append(m.Layers, &verifierv1.IsolationLayer{Name: l.Name, State: string(l.State), Reason: l.Reason})
	}
	for _, p := range r.Probes {
		m.Probes = append(m.Probes, &verifierv1.IsolationProbe{Name: p.Name, Expected: p.Expected, Observed: p.Observed, Contained: p.Contained})
	}
	return m
}

// RunCode runs a program and says what happened.
func (s *Service) RunCode(ctx context.Context, r *verifierv1.RunCodeRequest) (*verifierv1.RunCodeResponse, error) {
	job := sandbox.Job{Language: r.GetLanguage(), Source: string(r.GetSource()), Argv: r.GetArguments(), Stdin: r.GetStdin(), Fetch: r.GetFetchFiles()}
	for _, f := range r.GetFiles() {
		job.Files = append(job.Files, sandbox.File{Path: f.GetPath(), Content: f.GetContent()})
	}
	if r.GetCompileTimeout() != nil {
		if job.Compile = r.GetCompileTimeout().AsDuration(); job.Compile < sandbox.MinWall || job.Compile > sandbox.MaxWall {
			return nil, invalid("compile_timeout", "%v for compiling; allowed is %v to %v", job.Compile, sandbox.MinWall, sandbox.MaxWall)
		}
	}
	if r.GetTimeout() != nil {
		if job.Limits.Wall = r.GetTimeout().AsDuration(); job.Limits.Wall <= 0 {
			return nil, invalid("timeout", "a timeout is above 0")
		}
	}
	job.Limits.Memory = int64(r.GetMemoryMb()) << 20
	job.Limits.Keep = runCodeOutput
	got, err := s.sandbox.Run(ctx, job)
	if err != nil {
		return nil, sandboxProblem(err)
	}
	out := &verifierv1.RunCodeResponse{
		Execution: &corev1.Execution{
			Tier: uint32(got.Tier), Language: got.Language, Interpreter: got.Interpreter, Limit: string(got.Limit), Truncated: got.Truncated,
			ExitCode: int32(got.ExitCode), Signal: int32(got.Signal),
		},
		Stdout: got.Stdout, Stderr: got.Stderr, Compiled: got.CompileError == "", Wall: durationpb.New(got.Usage.Wall), Cpu: durationpb.New(got.Usage.CPU),
	}
	if got.CompileError != "" {
		out.Stderr, out.CompileLimit = []byte(got.CompileError), string(got.CompileLimit)
	}
	for _, f := range got.Files {
		out.Files = append(out.Files, &verifierv1.FetchedFile{Path: f.Path, Content: f.Content, Missing: f.Missing})
	}
	if rss := got.Usage.MaxRSS; rss > 0 {
		bytes := uint64(rss)
		out.MaxRssBytes = &bytes
	}
	return out, nil
}

// runCodeOutput is how much of stdout and stderr each is answered.
const runCodeOutput = 1 << 20

// sandboxProblem gives the errors of the sandbox their reasons.
func sandboxProblem(err error) error {
	var isolation *sandbox.IsolationError
	var layout *sandbox.LayoutError
	switch {
	case errors.As(err, &isolation):
		return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_ISOLATION_UNAVAILABLE, "%w", err).
			With("tier", isolation.Report.Tier.String()).With("min_tier", isolation.Report.MinTier.String())
	case errors.As(err, &layout):
		return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_INTERPRETER_LAYOUT, "%w", err).With("path", layout.Path)
	case errors.Is(err, sandbox.ErrLanguage):
		return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_LANGUAGE_UNAVAILABLE, "%w", err)
	case errors.Is(err, sandbox.ErrFiles):
		return invalid("files", "%w", err)
	case errors.Is(err, sandbox.ErrLimits):
		return invalid("limits", "%w", err)
	case errors.Is(err, sandbox.ErrSandbox), errors.Is(err, sandbox.ErrClosed):
		return rpc.Errorf(codes.Unavailable, corev1.ErrorReason_ERROR_REASON_OVERLOADED, "%w", err).RetryAfter(durationpb.New(1e9))
	}
	return err
}
