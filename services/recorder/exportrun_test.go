package recorder

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// exportOf reads a whole file.
func (r *rig) exportOf(run, format string) (head *recorderv1.ExportRunResponse, file []byte, err error) {
	r.t.Helper()
	stream, err := r.client.ExportRun(r.t.Context(), &recorderv1.ExportRunRequest{Run: run, Format: format})
	if err != nil {
		return nil, nil, err
	}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return head, file, nil
		}
		if err != nil {
			return head, file, err
		}
		if head == nil {
			head = m
		} else if len(m.GetChunk()) == 0 || len(m.GetChunk()) > exportChunk {
			r.t.Errorf("a chunk of %d bytes", len(m.GetChunk()))
		}
		file = append(file, m.GetChunk()...)
	}
}

func TestExportRun(t *testing.T) {
	r := newRig(t).start()
	r.write("run-1", 1, runRecords(t, 40, func(step int) float64 {
		if step == 20 {
			return math.NaN()
		}
		return blowup(12)(step)
	}))
	r.restart() // timing is complete after a clean stop
	for format, want := range map[string][]string{
		"csv":         {"attempt,step,metric", "0,20,kl.ref,,,NaN,,token_mean,nats", "0,39,kl.ref,,3,"},
		"jsonl":       {`"type":"run","run":"run-1","verdict":"critical"`, `"kind":"kl_blowup"`, `"kind":"non_finite"`, `"step":20,"metric":"kl.ref","non_finite":"NaN"`},
		"openmetrics": {`provenir_kl_ref{metric="kl.ref",attempt="0"`, `provenir_run_info{run="run-1",verdict="critical"`, "# EOF\n"},
		"tensorboard": {"brain.Event:2", "kl.ref/token_mean"},
		"html":        {"<svg", "kl_blowup", "verified with the recorder&#39;s key", "Held-out score: no step of the run has"},
		"parquet":     {"PAR1", "kl.ref"},
	} {
		head, file, err := r.exportOf("run-1", format)
		if err != nil || head.GetMediaType() == "" || !strings.Contains(head.GetFilename(), "run-1") {
			t.Errorf("%s: %v, %v", format, head, err)
		}
		for _, w := range want {
			if !bytes.Contains(file, []byte(w)) {
				t.Errorf("%s has no %q in %.3000s", format, w, file)
			}
		}
		if format == "tensorboard" && bytes.Contains(file, []byte("no wall time")) {
			t.Error("the log timing was not read")
		}
		_, again, err := r.exportOf("run-1", format)
		if err != nil || !bytes.Equal(file, again) {
			t.Errorf("%s is another file the second time, %v", format, err)
		}
	}
}

func TestExportRunHasEveryValueOnce(t *testing.T) {
	r := newRig(t).start()
	r.write("run-1", 1, runRecords(t, 5000, calm)) // several chunks
	_, file, err := r.exportOf("run-1", "jsonl")
	if err != nil || len(file) < 2*exportChunk {
		t.Fatalf("%d bytes, %v", len(file), err)
	}
	next := map[string]uint64{}
	for d := json.NewDecoder(bytes.NewReader(file)); d.More(); {
		var row struct {
			Type, Metric string
			Step         uint64
			Value        *float64
		}
		if err := d.Decode(&row); err != nil {
			t.Fatal(err)
		}
		if row.Type != "metric" {
			continue
		}
		if row.Step != next[row.Metric] || row.Value == nil {
			t.Fatalf("%s: step %d, want %d", row.Metric, row.Step, next[row.Metric])
		}
		next[row.Metric]++
	}
	if len(next) != 2 || next["kl.ref"] != 5000 || next["policy.entropy"] != 5000 {
		t.Errorf("values %v", next)
	}
}

func TestExportRunRefuses(t *testing.T) {
	r := newRig(t).start()
	r.write("run-1", 1, runRecords(t, 4, calm))
	for _, c := range []struct {
		run, format string
		code        codes.Code
		reason      corev1.ErrorReason
		says        string
	}{
		{"run-1", "xlsx", codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "jsonl"},
		{"run-1", "", codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "format"},
		{"run-1", "wandb", codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_EXPORTER_UNAVAILABLE, "--format wandb"},
		{"run-1", "mlflow", codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_EXPORTER_UNAVAILABLE, "--to"},
		{"none", "csv", codes.NotFound, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND, "none"},
	} {
		head, file, err := r.exportOf(c.run, c.format)
		if head != nil || len(file) > 0 || status.Code(err) != c.code || "ERROR_REASON_"+rpc.Reason(err) != c.reason.String() || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s as %q: %v, %v", c.run, c.format, head, err)
		}
	}
}

// A file over damage is never taken for a whole one: the call ends with the place of the damage.
func TestExportRunOverDamage(t *testing.T) {
	r := newRig(t).start()
	r.write("run-1", 1, runRecords(t, 200, calm))
	files, err := filepath.Glob(filepath.Join(r.root, "ledger", "*", "run-1", "events", "*.seg"))
	if err != nil || len(files) == 0 {
		t.Fatalf("segments %v, %v", files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(b, []byte("policy.entropy"))
	b[at] ^= 1
	if err := os.WriteFile(files[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.exportOf("run-1", "csv"); status.Code(err) != codes.DataLoss || rpc.Reason(err) != "LEDGER_CORRUPT" {
		t.Errorf("an export over damage: %v", err)
	}
}
