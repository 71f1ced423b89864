package mesh

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/config"
)

var updateTranscript = flag.Bool("update", false, "write the recorded transcript anew")

// environmentMesh serves one environment as `env serve` does.
func environmentMesh(t *testing.T, name string, production bool) (m *Mesh, client verifierv1.VerifierServiceClient, address string) {
	t.Helper()
	s, err := config.Resolve(config.Sources{Flags: map[string]string{"data": t.TempDir(), "log.level": "error"}})
	if err != nil {
		t.Fatal(err)
	}
	if m, err = Start(t.Context(), Config{Settings: s, Roles: []Role{Verifier}, Private: true, Log: io.Discard}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Stop(); err != nil {
			t.Error(err)
		}
	})
	if address, err = m.ServeEnvironment(t.Context(), name, "127.0.0.1:0", production); err != nil {
		t.Fatal(err)
	}
	conn, err := m.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return m, verifierv1.NewVerifierServiceClient(conn), address
}

// Our own server holds every rule that we hold others to, OpenEnv's own criteria among them, with a token and not
// without.
func TestOurServerIsValid(t *testing.T) {
	for _, production := range []bool{false, true} {
		m, client, address := environmentMesh(t, "calculator", production)
		report, err := validated(t, client, "http://x:"+m.Token()+"@"+address)
		if err != nil {
			t.Fatal(err)
		}
		if report.GetPassed() == production {
			t.Errorf("production %v: %v", production, report)
		}
		for _, r := range report.GetRules() {
			if production && strings.HasSuffix(r.GetName(), "endpoint") && r.GetState() != "held" {
				t.Errorf("in production %v", r)
			}
		}
		if report, err := validated(t, client, "http://x:wrong@"+address); status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "credential") {
			t.Errorf("a wrong token: %v, %v", report, err)
		}
	}
}

func validated(t *testing.T, client verifierv1.VerifierServiceClient, target string) (*verifierv1.EnvironmentReport, error) {
	t.Helper()
	stream, err := client.ValidateEnvironment(t.Context(), &verifierv1.ValidateEnvironmentRequest{Target: target})
	if err != nil {
		t.Fatal(err)
	}
	for {
		frame, err := stream.Recv()
		if err != nil || frame.GetReport() != nil {
			return frame.GetReport(), err
		}
	}
}

// The transcript is what a client sends and gets, line by line. It changes when the wire does, and then whoever changed
// it must look at this file.
func TestRecordedTranscript(t *testing.T) {
	m, _, address := environmentMesh(t, "calculator", false)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws://x:"+m.Token()+"@"+address+"/ws", nil) //nolint:bodyclose // the connection has taken it over
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow() //nolint:errcheck // closed by the server
	var got strings.Builder
	for _, message := range []string{
		`{"type":"state"}`, `{"type":"step","data":{"text":"too early"}}`,
		`{"type":"reset","data":{"seed":11,"episode_id":"recorded","difficulty":1}}`,
		`{"type":"state"}`, `{`, `[]`, `{"type":"dance"}`, `{"data":{}}`, `{"type":"step"}`, `{"type":"step","data":{"no":1}}`,
		`{"type":"step","data":{"text":"a","tool":"b"}}`, `{"type":"step","type":"step","data":{}}`, `{"type":"reset","data":{"seed":-1}}`,
		`{"type":"reset","data":{"split":"validation"}}`,
		`{"type":"step","data":{"tool":"calculate","arguments":{"expression":"2 * 21"}}}`,
		`{"type":"step","data":{"type":"call_tool","tool_name":"calculate","arguments":{"expression":"1/0"},"metadata":{}}}`,
		`{"type":"step","data":{"tool":"calculate","arguments":{"expression":"1+1","__state__":{}}}}`,
		`{"type":"mcp","data":{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"calculate","arguments":{"expression":"7 - 8"}}}}`,
		`{"type":"mcp","data":{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"reset"}}}`,
		`{"type":"step","data":{"text":"It is #### 0"}}`, `{"type":"step","data":{"text":"#### 1"}}`,
		`{"type":"mcp","data":{"jsonrpc":"2.0","id":"3","method":"tools/call","params":{"name":"calculate","arguments":{"expression":"7 - 8"}}}}`,
		`{"type":"state"}`, `{"type":"reset","data":{"seed":11,"episode_id":"again"}}`, `{"type":"close"}`,
	} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
		_, answer, err := conn.Read(ctx)
		if err != nil {
			answer = []byte(fmt.Sprintf("closed with %d", websocket.CloseStatus(err)))
		} else if !json.Valid(answer) {
			t.Errorf("%s is answered with %s", message, answer)
		}
		fmt.Fprintf(&got, "> %s\n< %s\n", message, answer)
	}
	const file = "testdata/openenv.transcript"
	if *updateTranscript {
		if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || got.String() != string(want) {
		t.Errorf("the transcript differs (%v); look at it, then run with -update\n%s", err, got.String())
	}
}
