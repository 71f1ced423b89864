package rewardhttp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/grpctest"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/gateway/credential"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// judge stands for the verifier: an answer that equals the reference passes, and some answers say what goes wrong.
type judge struct {
	verifierv1.UnimplementedVerifierServiceServer
	ran    *verifierv1.RunCodeRequest
	judged int
}

func (j *judge) verdict(c *verifierv1.Candidate) *corev1.Verdict {
	j.judged++
	var row struct{ Reference string }
	_ = json.Unmarshal(c.GetRowJson(), &row)
	v := &corev1.Verdict{RolloutId: c.GetRolloutId()}
	unscored := func(r corev1.UnscoredReason, retryable bool) {
		v.Verdict = &corev1.Verdict_Unscored{Unscored: &corev1.Unscored{Reason: r, Retryable: retryable, Detail: "why"}}
	}
	switch answer := string(c.GetResponse()); {
	case answer == "busy":
		unscored(corev1.UnscoredReason_UNSCORED_REASON_OVERLOADED, true)
	case row.Reference == "":
		unscored(corev1.UnscoredReason_UNSCORED_REASON_BAD_REFERENCE, false)
	case answer == row.Reference:
		v.Verdict = &corev1.Verdict_Scored{Scored: &corev1.Scored{Reward: 1, Passed: true}}
	default:
		v.Verdict = &corev1.Verdict_Scored{Scored: &corev1.Scored{Reward: 0}}
	}
	return v
}

func (j *judge) Verify(_ context.Context, r *verifierv1.VerifyRequest) (*verifierv1.VerifyResponse, error) {
	return &verifierv1.VerifyResponse{Verdict: j.verdict(r.GetCandidate())}, nil
}

func (j *judge) VerifyBatch(stream verifierv1.VerifierService_VerifyBatchServer) error {
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if m.GetSpec().GetName() == "unknown" {
			return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_UNKNOWN_VERIFIER, "no such verifier")
		}
		if err := stream.Send(&verifierv1.VerifyBatchResponse{Id: m.GetRow().GetRolloutId(), Result: &verifierv1.VerifyBatchResponse_Verdict{Verdict: j.verdict(m.GetRow())}}); err != nil {
			return err
		}
	}
}

func (*judge) ListVerifiers(context.Context, *verifierv1.ListVerifiersRequest) (*verifierv1.ListVerifiersResponse, error) {
	return &verifierv1.ListVerifiersResponse{}, nil
}

func (j *judge) RunCode(_ context.Context, r *verifierv1.RunCodeRequest) (*verifierv1.RunCodeResponse, error) {
	j.ran = r
	x := &corev1.Execution{Tier: 3, Language: r.GetLanguage()}
	out := &verifierv1.RunCodeResponse{Execution: x, Compiled: true, Stdout: append([]byte("out\xff"), r.GetStdin()...)}
	switch string(r.GetSource()) {
	case "copies":
		for _, f := range r.GetFiles() {
			out.Files = append(out.Files, &verifierv1.FetchedFile{Path: f.GetPath(), Content: f.GetContent()})
		}
		out.Files = append(out.Files, &verifierv1.FetchedFile{Path: r.GetFetchFiles()[0], Missing: "it is not there"})
	case "compiles for long":
		out.Compiled, out.CompileLimit = false, "timeout"
	case "fails":
		x.ExitCode = 1
	case "loops":
		x.Limit, x.Signal = "timeout", 9
	case "eats":
		x.Limit, x.Signal = "memory_limit", 9
	case "is no program":
		out.Compiled, out.Stderr = false, []byte("line 1")
	case "finds no sandbox":
		return nil, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_ISOLATION_UNAVAILABLE, "tier 0")
	}
	return out, nil
}

// edge is the face on a real server.
type edge struct {
	t   *testing.T
	url string
	*judge
}

func newEdge(t *testing.T) *edge {
	t.Helper()
	j := &judge{}
	conn := grpctest.ServeAs(t, "", func(r grpc.ServiceRegistrar) { verifierv1.RegisterVerifierServiceServer(r, j) })
	mux := http.NewServeMux()
	New(verifierv1.NewVerifierServiceClient(conn)).Add(mux, credential.Pass)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return &edge{t, server.URL, j}
}

// call posts; headers are pairs. Without a given one it carries the person's token.
func (e *edge) call(path, body string, headers ...string) (int, http.Header, string) {
	e.t.Helper()
	req, err := http.NewRequestWithContext(e.t.Context(), http.MethodPost, e.url+path, strings.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+grpctest.Token)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, strings.TrimSuffix(string(b), "\n")
}
