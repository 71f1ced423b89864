package plugin

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"slices"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/verifier/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Init()
	if slices.Contains(os.Args, "be-a-plugin") {
		os.Exit(bePlugin())
	}
	goleak.VerifyTestMain(m)
}

// theirs is a verifier that does what its response says, good or bad.
type theirs struct {
	verifierv1.UnimplementedVerifierServiceServer
	unwell chan struct{} // closed where ListVerifiers fails; nil is well
}

func (t *theirs) ListVerifiers(context.Context, *verifierv1.ListVerifiersRequest) (*verifierv1.ListVerifiersResponse, error) {
	select {
	case <-t.unwell:
		return nil, errors.New("unwell")
	default:
	}
	return &verifierv1.ListVerifiersResponse{Verifiers: []*verifierv1.VerifierInfo{{Name: "theirs"}}}, nil
}

func (t *theirs) Verify(ctx context.Context, r *verifierv1.VerifyRequest) (*verifierv1.VerifyResponse, error) {
	v := &corev1.Verdict{RolloutId: r.GetCandidate().GetRolloutId(), Reason: "theirs"}
	score := func(reward float64) {
		v.Verdict = &corev1.Verdict_Scored{Scored: &corev1.Scored{Reward: reward, Passed: reward > 0}}
	}
	switch string(r.GetCandidate().GetResponse()) {
	case "right":
		score(1)
	case "too much":
		score(2)
	case "NaN":
		score(math.NaN())
	case "another id":
		score(1)
		v.RolloutId = "another"
	case "die":
		os.Exit(3)
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	case "take 64 MiB", "take 1024 MiB":
		var n int
		_, _ = fmt.Sscanf(string(r.GetCandidate().GetResponse()), "take %d MiB", &n)
		held := make([]byte, n<<20)
		for i := range held {
			held[i] = byte(i)
		}
		score(float64(held[1]))
	case "look around":
		v.Extracted = look()
		score(1)
	default:
		score(0)
	}
	return &verifierv1.VerifyResponse{Verdict: v}, nil
}

// look says what a plugin reaches that it should not.
func look() string {
	out := ""
	for _, path := range []string{"/etc/passwd", "/proc/self/status", "/root", "/var"} {
		if _, err := os.Stat(path); err == nil {
			out += path + " "
		}
	}
	if c, err := net.Dial("tcp", "127.0.0.1:22"); err == nil {
		c.Close()
		out += "network "
	}
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close()
		out += "listens "
	}
	if err := os.WriteFile("/usr/x", nil, 0o600); err == nil {
		out += "writes "
	}
	if err := os.WriteFile("own", nil, 0o600); err != nil {
		out += "has no folder "
	}
	if l, err := net.Listen("unix", "s"); err != nil {
		out += "has no unix sockets "
	} else {
		l.Close()
	}
	return out
}

func bePlugin() int {
	l, err := net.FileListener(os.NewFile(3, "socket"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	s := grpc.NewServer()
	verifierv1.RegisterVerifierServiceServer(s, &theirs{})
	fmt.Println(Handshake)
	if err := s.Serve(l); err != nil {
		return 1
	}
	return 0
}
