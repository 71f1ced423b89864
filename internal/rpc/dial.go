package rpc

import (
	"context"
	"net"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/experimental"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/test/bufconn"
)

// serviceConfig retries reads only. Streams and writes are resumed by those who own them: grpc-go retries a stream
// only before its first message, which helps nobody.
const serviceConfig = `{"loadBalancingConfig":[{"round_robin":{}}],
 "methodConfig":[{"name":[
   {"service":"provenir.evaluator.v1.EvaluatorService","method":"DescribeDataset"},
   {"service":"provenir.orchestrator.v1.OrchestratorService","method":"GetRun"},
   {"service":"provenir.orchestrator.v1.OrchestratorService","method":"ListRuns"},
   {"service":"provenir.recorder.v1.RecorderService","method":"ListEvents"},
   {"service":"provenir.recorder.v1.RecorderService","method":"GetRunSummary"},
   {"service":"provenir.recorder.v1.RecorderService","method":"GetCheckpoint"},
   {"service":"provenir.trainer.v1.TrainerService","method":"GetCheckpoint"},
   {"service":"provenir.blob.v1.BlobService","method":"Stat"}],
   "retryPolicy":{"maxAttempts":4,"initialBackoff":"0.05s","maxBackoff":"1s","backoffMultiplier":3,
     "retryableStatusCodes":["UNAVAILABLE"]}}],
 "retryThrottling":{"maxTokens":50,"tokenRatio":0.2}}`

// Listener is an in-memory listener for roles of one process. 256 KiB of buffer was the best size measured for
// frames of 16 to 64 KiB.
func Listener() *bufconn.Listener { return bufconn.Listen(256 << 10) }

// DialConfig is how to reach a peer.
type DialConfig struct {
	Token  string
	Memory *bufconn.Listener // in-process peer; Target is then ignored
	Target string            // host:port
	Trace  bool
}

// Dial makes a connection; it is established lazily and for ever.
func Dial(cfg DialConfig) (*grpc.ClientConn, error) {
	opts := []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()), // loopback and memory only; wider needs mTLS
		grpc.WithDefaultServiceConfig(serviceConfig),
		experimental.WithBufferPool(pool),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(codec{}), grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage)),
	}
	if cfg.Token != "" { // the gateway has none of its own: it passes its caller's on
		opts = append(opts, grpc.WithPerRPCCredentials(bearerToken(cfg.Token)))
	}
	if cfg.Trace {
		opts = append(opts, grpc.WithStatsHandler(otelgrpc.NewClientHandler()))
	}
	if cfg.Memory != nil {
		l := cfg.Memory
		opts = append(opts, grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
		return grpc.NewClient("passthrough:///memory", opts...)
	}
	opts = append(opts, grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 5 * time.Second}))
	return grpc.NewClient("dns:///"+cfg.Target, opts...)
}

type bearerToken string

// GetRequestMetadata sends the token with each call.
func (t bearerToken) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(t)}, nil
}

// RequireTransportSecurity is false because plain text never leaves loopback: mesh refuses to bind or dial wider.
func (bearerToken) RequireTransportSecurity() bool { return false }
