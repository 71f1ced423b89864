package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Streams of the mesh. The duplicate window is what drops a message that the relay sends again after a crash.
const (
	AnomalyStream = "PROVENIR_ANOMALIES"
	RunStream     = "PROVENIR_RUNS"
	dedupWindow   = 10 * time.Minute
	keep          = 30 * 24 * time.Hour
)

// Prepare makes the streams; calling it again changes nothing.
func (b *Bus) Prepare(ctx context.Context) error {
	replicas := 1
	if b.server == nil {
		replicas = 3 // a cluster
	}
	for name, subjects := range map[string][]string{
		AnomalyStream: {"provenir.v1.*.anomaly.>"},
		RunStream:     {"provenir.v1.*.run.>", "provenir.v1.*.bom.>"},
	} {
		_, err := b.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name: name, Subjects: subjects, Storage: jetstream.FileStorage, Replicas: replicas, MaxAge: keep,
			MaxMsgsPerSubject: 10_000, Duplicates: dedupWindow, DenyDelete: true, DenyPurge: true,
		})
		if err != nil {
			return fmt.Errorf("make stream %s: %w", name, err)
		}
	}
	return nil
}
