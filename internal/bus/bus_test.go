package bus

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func TestSubscriberNeedsTheTokenAndDuplicatesAreDropped(t *testing.T) {
	b, err := Open(t.Context(), Config{Dir: t.TempDir(), Listen: "127.0.0.1:0", Token: "a token of the mesh"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := b.Health(); err != nil {
		t.Error(err)
	}
	if conn, err := nats.Connect("nats://" + b.Address()); err == nil {
		conn.Close()
		t.Error("connected without the token")
	}
	conn, err := nats.Connect("nats://"+b.Address(), nats.Token("a token of the mesh"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sub, err := conn.SubscribeSync("provenir.v1.default.anomaly.critical.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		ack, err := b.JetStream().Publish(t.Context(), "provenir.v1.default.anomaly.critical.kl_blowup.r1", []byte("x"), jetstream.WithMsgID("same"))
		if err != nil || ack.Duplicate != (i == 1) {
			t.Fatalf("publish %d: duplicate %v, %v", i, ack.Duplicate, err)
		}
	}
	if msg, err := sub.NextMsg(5 * time.Second); err != nil || string(msg.Data) != "x" {
		t.Errorf("got %v, %v", msg, err)
	}
}

func TestBadAddress(t *testing.T) {
	for _, bad := range []string{"4222", "127.0.0.1:port"} {
		if b, err := Open(t.Context(), Config{Dir: t.TempDir(), Listen: bad}); err == nil {
			t.Errorf("listen %q was accepted", bad)
			_ = b.Close()
		}
	}
}
