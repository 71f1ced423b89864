package rewardhttp

import (
	"encoding/base64"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// runRequest is SandboxFusion's.
type runRequest struct {
	Code           string             `json:"code"`
	Language       string             `json:"language"`
	CompileTimeout *float64           `json:"compile_timeout"`
	RunTimeout     *float64           `json:"run_timeout"`
	MemoryLimitMB  *float64           `json:"memory_limit_MB"`
	Stdin          *string            `json:"stdin"`
	Files          map[string]*string `json:"files"`
	FetchFiles     []string           `json:"fetch_files"`
	Args           []string           `json:"args"`
}

type commandResult struct {
	Status        string   `json:"status"` // Finished, Error or TimeLimitExceeded
	ExecutionTime *float64 `json:"execution_time"`
	ReturnCode    *int32   `json:"return_code"`
	Stdout        string   `json:"stdout"`
	Stderr        string   `json:"stderr"`
}

type runResponse struct {
	Status        string            `json:"status"` // Success, Failed or SandboxError
	Message       string            `json:"message"`
	CompileResult *commandResult    `json:"compile_result"`
	RunResult     *commandResult    `json:"run_result"`
	Files         map[string]string `json:"files"`
}

// runCode runs a program. It judges nothing: whoever appends tests to a program and pays for return code 0 pays every
// program that ends itself before them.
func (s *Server) runCode(w http.ResponseWriter, r *http.Request, body []byte) (any, error) {
	var q runRequest
	if err := read(body, &q); err != nil {
		return nil, err
	}
	call, err := q.call()
	if err != nil {
		return nil, err
	}
	got, err := s.verifier.RunCode(r.Context(), call)
	switch status.Code(err) {
	case codes.OK:
	case codes.Unavailable, codes.FailedPrecondition, codes.ResourceExhausted, codes.DeadlineExceeded, codes.Internal:
		return runResponse{Status: "SandboxError", Message: rpc.Message(err) + " [" + rpc.Reason(err) + "]", Files: map[string]string{}}, nil
	default:
		return nil, err
	}
	w.Header().Set("Provenir-Tier", strconv.Itoa(int(got.GetExecution().GetTier())))
	return runAnswer(got), nil
}

func (q *runRequest) call() (*verifierv1.RunCodeRequest, error) {
	if q.Code == "" {
		return nil, invalid("code", "there is no code to run")
	}
	out := &verifierv1.RunCodeRequest{Language: strings.ToLower(q.Language), Source: []byte(q.Code), Arguments: q.Args, FetchFiles: q.FetchFiles}
	var err error
	if out.Files, err = q.files(); err != nil {
		return nil, err
	}
	if t := q.CompileTimeout; t != nil {
		if !(*t >= 0.1 && *t <= 600) {
			return nil, invalid("compile_timeout", "compiling takes 0.1 s to 600 s")
		}
		out.CompileTimeout = durationpb.New(time.Duration(*t * float64(time.Second)))
	}
	if q.Stdin != nil {
		out.Stdin = []byte(*q.Stdin)
	}
	if t := q.RunTimeout; t != nil {
		if !(*t > 0 && *t <= 3600) {
			return nil, invalid("run_timeout", "a run takes above 0 s and at most 3,600 s")
		}
		out.Timeout = durationpb.New(time.Duration(*t * float64(time.Second)))
	}
	if m := q.MemoryLimitMB; m != nil && *m != -1 { // -1 is SandboxFusion's "the default"
		if !(*m >= 1 && *m <= 16384) || *m != math.Trunc(*m) {
			return nil, invalid("memory_limit_MB", "memory is 1 to 16,384 MB, or -1 for the default")
		}
		out.MemoryMb = uint32(*m)
	}
	return out, nil
}

// files are those to put beside the program, by name; the contents are base64. A name without content is SandboxFusion's way
// to say nothing.
func (q *runRequest) files() ([]*verifierv1.RunFile, error) {
	var out []*verifierv1.RunFile
	for _, path := range slices.Sorted(maps.Keys(q.Files)) {
		text := q.Files[path]
		if text == nil {
			continue
		}
		b, err := base64.StdEncoding.DecodeString(*text)
		if err != nil {
			return nil, invalid("files", "file %q is not base64: %v", path, err)
		}
		out = append(out, &verifierv1.RunFile{Path: path, Content: b})
	}
	return out, nil
}

func runAnswer(got *verifierv1.RunCodeResponse) runResponse {
	x := got.GetExecution()
	out := runResponse{Status: "Failed", Files: map[string]string{}}
	stdout, stderr := strings.ToValidUTF8(string(got.GetStdout()), "�"), strings.ToValidUTF8(string(got.GetStderr()), "�")
	if !got.GetCompiled() {
		out.CompileResult = &commandResult{Status: "Error", Stderr: stderr}
		if got.GetCompileLimit() == "timeout" || got.GetCompileLimit() == "cpu_limit" {
			out.CompileResult.Status = "TimeLimitExceeded"
		}
		return out
	}
	for _, f := range got.GetFiles() { // one that is not there has no key, as at SandboxFusion
		if f.GetMissing() == "" {
			out.Files[f.GetPath()] = base64.StdEncoding.EncodeToString(f.GetContent())
		}
	}
	took := got.GetWall().AsDuration().Seconds()
	run := &commandResult{Status: "Finished", ExecutionTime: &took, Stdout: stdout, Stderr: stderr}
	out.RunResult = run
	switch {
	case x.GetLimit() == "timeout" || x.GetLimit() == "cpu_limit":
		run.Status, out.Message = "TimeLimitExceeded", x.GetLimit()
		return out
	case x.GetSignal() != 0:
		signalled := -x.GetSignal() // as Python's subprocess says it
		run.ReturnCode = &signalled
	default:
		exit := x.GetExitCode()
		run.ReturnCode = &exit
	}
	if x.GetLimit() != "" {
		out.Message = x.GetLimit()
		return out
	}
	if *run.ReturnCode == 0 {
		out.Status = "Success"
	}
	return out
}
