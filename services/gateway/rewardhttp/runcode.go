package rewardhttp

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
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

// compileSeconds is the sandbox's own limit of compiling, which is also SandboxFusion's default.
const compileSeconds = 10

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
	unsupported := func(field, why string) error {
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_OPTION_UNSUPPORTED, "%s: %s", field, why).Field(field, why)
	}
	switch {
	case q.Code == "":
		return nil, invalid("code", "there is no code to run")
	case len(q.Files) > 0:
		return nil, unsupported("files", "files are not put beside programs yet; use stdin")
	case len(q.FetchFiles) > 0:
		return nil, unsupported("fetch_files", "files that a program wrote are not given yet; use stdout")
	case q.CompileTimeout != nil && *q.CompileTimeout != compileSeconds:
		return nil, unsupported("compile_timeout", "compiling has its own limit here, 10 s")
	}
	out := &verifierv1.RunCodeRequest{Language: strings.ToLower(q.Language), Source: []byte(q.Code), Arguments: q.Args}
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

func runAnswer(got *verifierv1.RunCodeResponse) runResponse {
	x := got.GetExecution()
	out := runResponse{Status: "Failed", Files: map[string]string{}}
	stdout, stderr := strings.ToValidUTF8(string(got.GetStdout()), "�"), strings.ToValidUTF8(string(got.GetStderr()), "�")
	if !got.GetCompiled() {
		out.CompileResult = &commandResult{Status: "Error", Stderr: stderr}
		return out
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
