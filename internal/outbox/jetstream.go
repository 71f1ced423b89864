package outbox

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ToJetStream publishes and waits for the stream's ack.
func ToJetStream(js jetstream.JetStream) Publish {
	return func(ctx context.Context, m Message) error {
		msg := nats.NewMsg(m.Subject)
		msg.Data = m.Body
		for k, v := range m.Headers {
			msg.Header.Set(k, v)
		}
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		_, err := js.PublishMsg(ctx, msg, jetstream.WithMsgID(m.ID))
		return err
	}
}
