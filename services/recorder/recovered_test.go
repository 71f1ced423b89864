package recorder

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/cursor"
	"github.com/provenir/provenir/internal/grpctest"
	"github.com/provenir/provenir/internal/rpc"
	rolestore "github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/recorder/disk"
)

// A recorder that has much to read says so; who can wait is answered as soon as it is there.
func TestCallsWaitForTheRecovery(t *testing.T) {
	dir := t.TempDir()
	signer, vkey, err := LoadKey(filepath.Join(dir, "keys"), "recorder.test")
	if err != nil {
		t.Fatal(err)
	}
	d, err := disk.OpenDir(filepath.Join(dir, "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := rolestore.Open(t.Context(), filepath.Join(dir, "recorder.db"), Migrations())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	cfg := Config{ReadyWait: time.Millisecond}
	cfg.Store.Reserve, cfg.Store.MinFree = -1, 1
	s, err := New(cfg, Deps{Disk: d, DB: db, Signer: signer, VKey: vkey, Tokens: cursor.NewSigner([]byte("key"))})
	if err != nil {
		t.Fatal(err)
	}
	client := recorderv1.NewRecorderServiceClient(grpctest.Serve(t, s.Register)) // Run has not begun, so it does not recover
	append1 := &recorderv1.AppendBatchRequest{Run: "run1", Log: recorderv1.Log_LOG_EVENTS}
	if _, err := client.AppendBatch(t.Context(), append1); rpc.Reason(err) != "NOT_READY" || status.Code(err) != codes.Unavailable || !rpc.Temporary(err) {
		t.Errorf("append: %v", err)
	}
	if _, err := client.GetRunSummary(t.Context(), &recorderv1.GetRunSummaryRequest{Run: "run1"}); rpc.Reason(err) != "NOT_READY" {
		t.Errorf("summary: %v", err)
	}
	s.cfg.ReadyWait = time.Hour
	answered := make(chan error, 1)
	go func() {
		_, err := client.AppendBatch(t.Context(), append1)
		answered <- err
	}()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	if err := <-answered; err != nil {
		t.Errorf("a call that waited: %v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
