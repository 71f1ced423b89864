package measure

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"google.golang.org/grpc"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// LiveRuns is the resident memory of this process, the measuring client included, with so many runs open, each with
// enough steps that all its baselines and windows are full.
func LiveRuns(ctx context.Context, dir string, runs int) (h Heap, err error) {
	h.What = fmt.Sprintf("resident memory with %d live runs", runs)
	rec, closeAll, err := openRecorder(ctx, filepath.Join(dir, "live"), nil)
	if err != nil {
		return h, err
	}
	conn, stop, err := serve(ctx, func(s grpc.ServiceRegistrar) { rec.Register(s) })
	if err != nil {
		return h, errors.Join(err, closeAll())
	}
	defer func() { err = errors.Join(err, stop(), closeAll()) }()
	for _, n := range []int{runs / 2, runs - runs/2} {
		if _, _, err := ingest(ctx, recorderv1.NewRecorderServiceClient(conn), StepsConfig{Runs: n, PerRun: 100, Batch: 100}); err != nil {
			return h, err
		}
		runtime.GC()
		runtime.GC()
		rss, err := resident()
		if err != nil {
			return h, err
		}
		h.Bytes = append(h.Bytes, rss)
	}
	h.Growth = float64(h.Bytes[1])/float64(h.Bytes[0]) - 1
	return h, nil
}

// resident is VmRSS, where the system tells it.
func resident() (uint64, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("resident memory cannot be measured here: %w", err)
	}
	for l := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(l, "VmRSS:"); ok {
			kb, err := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("resident memory cannot be measured here: no VmRSS")
}
