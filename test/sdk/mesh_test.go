package sdk

import (
	"fmt"
	"testing"

	"google.golang.org/grpc"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// checkpointOf is the root of a run's events, as its recorder has signed it.
func checkpointOf(t *testing.T, conn *grpc.ClientConn, run string) string {
	t.Helper()
	got, err := recorderv1.NewRecorderServiceClient(conn).GetCheckpoint(t.Context(), &recorderv1.GetCheckpointRequest{Run: run})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %x", got.GetCheckpoint().GetSize(), got.GetCheckpoint().GetRoot())
}
