package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/grpctest"
	"github.com/provenir/provenir/internal/rpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// governance answers with what it was asked.
type governance struct {
	governancev1.UnimplementedGovernanceServiceServer
}

func (governance) GetPassport(_ context.Context, req *governancev1.GetPassportRequest) (*governancev1.GetPassportResponse, error) {
	switch req.GetPassport() {
	case "absent":
		return nil, rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_PASSPORT_NOT_FOUND, "no passport absent").With("passport", "absent")
	case "busy":
		return nil, rpc.Errorf(codes.ResourceExhausted, corev1.ErrorReason_ERROR_REASON_OVERLOADED, "at the limit").RetryAfter(&durationpb.Duration{Seconds: 1})
	}
	return &governancev1.GetPassportResponse{Passport: &governancev1.Passport{Digest: req.GetPassport(), RunId: "06e8k"}}, nil
}

func (governance) VerifyPassport(_ context.Context, req *governancev1.VerifyPassportRequest) (*governancev1.VerifyPassportResponse, error) {
	return &governancev1.VerifyPassportResponse{Overall: governancev1.CheckState_CHECK_STATE_HOLDS, Statement: req.GetBundle()}, nil
}

// recorder streams what it holds after the token that it is given.
type recorder struct {
	recorderv1.UnimplementedRecorderServiceServer
	mu   sync.Mutex
	seen []string // resume tokens that callers came with
}

func (f *recorder) WatchAnomalies(req *recorderv1.WatchAnomaliesRequest, stream recorderv1.RecorderService_WatchAnomaliesServer) error {
	f.mu.Lock()
	f.seen = append(f.seen, req.GetResumeToken())
	f.mu.Unlock()
	if req.GetRun() == "refused" {
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_RESUME_TOKEN_FOREIGN, "the token is of another store")
	}
	for _, m := range []*recorderv1.WatchAnomaliesResponse{
		{ResumeToken: "t1", Anomaly: &recorderv1.Anomaly{Uid: "a1"}},
		{ResumeToken: "t2"},
		{ResumeToken: "t3", Anomaly: &recorderv1.Anomaly{Uid: "a3"}},
		{Anomaly: &recorderv1.Anomaly{Uid: "without a token"}},
	} {
		if err := stream.Send(m); err != nil {
			return err
		}
	}
	if req.GetRun() == "breaks" {
		return rpc.Errorf(codes.DataLoss, corev1.ErrorReason_ERROR_REASON_LEDGER_CORRUPT, "segment 3 is damaged")
	}
	return nil
}

// ExportRun gives a run in pieces, breaks off in the middle, or gives more than anybody should hold.
func (f *recorder) ExportRun(req *recorderv1.ExportRunRequest, stream recorderv1.RecorderService_ExportRunServer) error {
	if req.GetRun() == "absent" {
		return rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND, "no run absent")
	}
	if err := stream.Send(&recorderv1.ExportRunResponse{Filename: "f", MediaType: "application/openmetrics-text; version=1.0.0; charset=utf-8"}); err != nil {
		return err
	}
	for _, piece := range []string{"# TYPE a ", "gauge\n", req.GetFormat(), "# EOF\n"} {
		if err := stream.Send(&recorderv1.ExportRunResponse{Chunk: []byte(piece)}); err != nil {
			return err
		}
	}
	for range map[string]int{"endless": 100}[req.GetRun()] {
		if err := stream.Send(&recorderv1.ExportRunResponse{Chunk: make([]byte, 1<<20)}); err != nil {
			return err
		}
	}
	if req.GetRun() == "breaks" {
		return rpc.Errorf(codes.DataLoss, corev1.ErrorReason_ERROR_REASON_LEDGER_CORRUPT, "segment 3 is damaged")
	}
	return nil
}

func (f *recorder) tokens() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.seen, " ")
}

// edge is a gateway over fakes, on a real HTTP server.
type edge struct {
	t        *testing.T
	url      string
	recorder *recorder
	ready    error
}

func newEdge(t *testing.T) *edge {
	t.Helper()
	e := &edge{t: t, recorder: &recorder{}}
	// The gateway's own connection carries no credential: each call has its caller's.
	conn := grpctest.ServeAs(t, "", func(s grpc.ServiceRegistrar) {
		governancev1.RegisterGovernanceServiceServer(s, governance{})
		recorderv1.RegisterRecorderServiceServer(s, e.recorder)
	})
	s, err := New(t.Context(), Config{Version: "v1 <test>", Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("metric 1\n"))
	})}, Deps{Routes: []Route{{governancev1.RegisterGovernanceServiceHandler, conn}, {recorderv1.RegisterRecorderServiceHandler, conn}},
		Recorder: conn, Ready: func(context.Context) error { return e.ready }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	e.url = server.URL
	return e
}

type answer struct {
	code   int
	header http.Header
	body   string
}

// call sends one request; headers are pairs. Without a given Authorization it carries the person's token.
func (e *edge) call(method, path, body string, headers ...string) answer {
	e.t.Helper()
	req, err := http.NewRequestWithContext(e.t.Context(), method, e.url+path, strings.NewReader(body))
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
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		e.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(b)}
}
