// Command subscriber-go prints the anomalies of a mesh as they are found. It imports the generated stubs and nats.go, and
// nothing else of Provenir.
//
//	go run ./examples/subscriber-go -token-file .provenir/token
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

func main() {
	url := flag.String("nats", "nats://127.0.0.1:4222", "address of NATS")
	tokenFile := flag.String("token-file", ".provenir/token", "file with the mesh's token")
	subject := flag.String("subject", "provenir.v1.default.anomaly.>", "what to receive; anomaly.critical.> for the worst only")
	count := flag.Int("count", 0, "stop after this many (0: never)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *url, *tokenFile, *subject, *count); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "subscriber:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url, tokenFile, subject string, count int) error {
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return err
	}
	conn, err := nats.Connect(url, nats.Token(strings.TrimSpace(string(token))), nats.MaxReconnects(-1))
	if err != nil {
		return err
	}
	defer conn.Close()
	sub, err := conn.SubscribeSync(subject)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "waiting for", subject)
	for n := 0; count == 0 || n < count; n++ {
		msg, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return err
		}
		var a recorderv1.Anomaly
		if err := proto.Unmarshal(msg.Data, &a); err != nil {
			return fmt.Errorf("%s: %w", msg.Subject, err)
		}
		fmt.Printf("%s %s %s run=%s step=%d onset=%d %s (ledger seq %s)\n", a.GetSeverity(), a.GetEvent(), a.GetKind(), a.GetRun(),
			a.GetStep(), a.GetOnsetStep(), a.GetDetail(), msg.Header.Get("Provenir-Ledger-Seq"))
	}
	return nil
}
