package recorder

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/ship"
	"github.com/provenir/provenir/services/recorder/ship/fakes3"
	"github.com/provenir/provenir/services/recorder/store"
)

// shipping gives a rig a store of copies, and segments that are small enough to roll.
func (r *rig) shipping(t *testing.T) *fakes3.Store {
	t.Helper()
	s3 := fakes3.New()
	server := httptest.NewServer(s3)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", s3.Key)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3.Secret)
	r.cfg.Ship = ship.Config{Endpoint: server.URL, Bucket: s3.Bucket}
	r.cfg.Store = store.Config{Reserve: -1, TimingLinger: time.Millisecond, MinFree: 1, SegmentBytes: 8 << 10}
	bucket, err := ship.Dial(r.cfg.Ship, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bucket.Close)
	r.copies = bucket
	return s3
}

func (r *rig) segment(n uint64) string {
	return filepath.Join(r.root, "ledger", "default", "run-1", "events", ledger.SegmentName(n))
}

// shipped waits for nothing: it asks for a pass.
func (r *rig) shipped(t *testing.T) {
	t.Helper()
	if err := r.service.shipper.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestRepairFromTheCopy(t *testing.T) {
	tests := []struct {
		name   string
		damage func(t *testing.T, r *rig)
	}{
		{"a flipped byte", func(t *testing.T, r *rig) { edit(t, r.segment(1), func(b []byte) []byte { b[1000] ^= 1; return b }) }},
		{"a damaged header", func(t *testing.T, r *rig) { edit(t, r.segment(1), func(b []byte) []byte { b[20] ^= 1; return b }) }},
		{"a damaged trailer", func(t *testing.T, r *rig) {
			edit(t, r.segment(1), func(b []byte) []byte { b[len(b)-10] ^= 1; return b })
		}},
		{"cut short", func(t *testing.T, r *rig) { edit(t, r.segment(1), func(b []byte) []byte { return b[:5000] }) }},
		{"gone", func(t *testing.T, r *rig) {
			if err := os.Remove(r.segment(1)); err != nil {
				t.Fatal(err)
			}
		}},
		{"two of them", func(t *testing.T, r *rig) {
			for _, n := range []uint64{0, 2} {
				edit(t, r.segment(n), func(b []byte) []byte { b[1000] ^= 1; return b })
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			r.shipping(t)
			r.start()
			recs := runRecords(t, 30, blowup(25))
			r.write("run-1", 1, recs[:200])
			r.shipped(t)
			r.stop()
			tt.damage(t, r)
			r.start()
			if v, err := r.client.VerifyRun(t.Context(), &recorderv1.VerifyRunRequest{Run: "run-1"}); err != nil || len(v.GetDamages()) == 0 {
				t.Fatalf("verify: %v, %v", v, err)
			}
			got, err := r.client.RepairRun(t.Context(), &recorderv1.RepairRunRequest{Run: "run-1"})
			if err != nil || len(got.GetRestored()) == 0 || len(got.GetLosses()) > 0 {
				t.Fatalf("repair: %v, %v", got, err)
			}
			r.write("run-1", 1, recs) // the run goes on, without a restart
			v, err := r.client.VerifyRun(t.Context(), &recorderv1.VerifyRunRequest{Run: "run-1"})
			if err != nil || len(v.GetDamages()) > 0 {
				t.Errorf("after it: %v, %v", v.GetDamages(), err)
			}
			page, err := r.client.ListEvents(t.Context(), &recorderv1.ListEventsRequest{Run: "run-1", PageSize: 1000})
			if err != nil || len(page.GetEvents()) != len(recs) {
				t.Errorf("%d events, %v", len(page.GetEvents()), err)
			}
			s, err := r.client.GetRunSummary(t.Context(), &recorderv1.GetRunSummaryRequest{Run: "run-1"})
			if err != nil || s.GetSummary().GetSteps() != 30 {
				t.Errorf("the monitor is at %v, %v", s.GetSummary(), err)
			}
			kept, err := filepath.Glob(r.segment(1) + ".damaged-*")
			if err != nil || (tt.name != "gone" && tt.name != "two of them") != (len(kept) == 1) {
				t.Errorf("kept %v, %v", kept, err)
			}
			again, err := r.client.RepairRun(t.Context(), &recorderv1.RepairRunRequest{Run: "run-1"})
			if err != nil || len(again.GetRestored())+len(again.GetLosses()) > 0 {
				t.Errorf("repair of a sound run: %v, %v", again, err)
			}
		})
	}
}

func edit(t *testing.T, name string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A copy that is not the segment is refused, and the loss declared. A store that is away is no reason to declare one.
func TestRepairRefuses(t *testing.T) {
	key := "ledger/default/run-1/events/" + ledger.SegmentName(1)
	tests := []struct {
		name string
		copy func(t *testing.T, r *rig, s3 *fakes3.Store)
		code codes.Code
	}{
		{"a damaged copy", func(t *testing.T, _ *rig, s3 *fakes3.Store) {
			o, _ := s3.Get(key)
			b := append([]byte(nil), o.Data...)
			b[2000] ^= 1
			s3.Set(key, b)
		}, codes.OK},
		{"another segment", func(t *testing.T, _ *rig, s3 *fakes3.Store) {
			o, _ := s3.Get("ledger/default/run-1/events/" + ledger.SegmentName(2))
			s3.Set(key, o.Data)
		}, codes.OK},
		{"a copy that ends early", func(t *testing.T, _ *rig, s3 *fakes3.Store) {
			o, _ := s3.Get(key)
			s3.Set(key, o.Data[:4000])
		}, codes.OK},
		{"wrong bytes on the way", func(_ *testing.T, _ *rig, s3 *fakes3.Store) {
			s3.Fail(func(q *http.Request) fakes3.Fault { return fakes3.Fault{Flip: q.Method == http.MethodGet} })
		}, codes.OK},
		{"away", func(_ *testing.T, _ *rig, s3 *fakes3.Store) {
			s3.Fail(func(*http.Request) fakes3.Fault { return fakes3.Fault{Status: http.StatusServiceUnavailable} })
		}, codes.Unavailable},
		{"breaks off", func(_ *testing.T, _ *rig, s3 *fakes3.Store) {
			s3.Fail(func(*http.Request) fakes3.Fault { return fakes3.Fault{Cut: 700} })
		}, codes.Unavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			s3 := r.shipping(t)
			r.start()
			r.write("run-1", 1, runRecords(t, 30, calm))
			r.shipped(t)
			r.stop()
			damaged := func(b []byte) []byte { b[1000] ^= 1; return b }
			edit(t, r.segment(1), damaged)
			before, err := os.ReadFile(r.segment(1))
			if err != nil {
				t.Fatal(err)
			}
			r.start()
			tt.copy(t, r, s3)
			got, err := r.client.RepairRun(t.Context(), &recorderv1.RepairRunRequest{Run: "run-1", Log: recorderv1.Log_LOG_EVENTS})
			if status.Code(err) != tt.code || len(got.GetRestored()) > 0 || (err == nil) != (len(got.GetLosses()) > 0) {
				t.Errorf("repair: %v, %v", got, err)
			}
			if after, err := os.ReadFile(r.segment(1)); err != nil || string(after) != string(before) {
				t.Errorf("the file was changed, %v", err)
			}
			if left, _ := filepath.Glob(r.segment(1) + ".*"); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// The open ends of findings and timing are mended from their pieces, and of a live log what the file here has behind them
// stays.
func TestRepairOfAnOpenEnd(t *testing.T) {
	tests := []struct {
		name   string
		log    string
		damage func(t *testing.T, file string)
	}{
		{"findings is gone", "findings", func(t *testing.T, file string) {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}},
		{"a flipped bit in findings", "findings", func(t *testing.T, file string) { edit(t, file, func(b []byte) []byte { b[200] ^= 1; return b }) }},
		{"timing is cut short", "timing", func(t *testing.T, file string) { edit(t, file, func(b []byte) []byte { return b[:300] }) }},
		{"timing has a damaged header", "timing", func(t *testing.T, file string) { edit(t, file, func(b []byte) []byte { b[40] ^= 1; return b }) }},
	}
	for _, tt := range tests {
		for _, running := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, running %v", tt.name, running), func(t *testing.T) {
				r := newRig(t)
				r.shipping(t)
				r.cfg.Store.SegmentBytes = 1 << 20
				r.start()
				r.write("run-1", 1, runRecords(t, 30, blowup(25)))
				if _, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run-1", Epoch: 1}); err != nil {
					t.Fatal(err)
				}
				r.shipped(t)
				file := filepath.Join(r.root, "ledger", "default", "run-1", tt.log, ledger.SegmentName(0))
				if _, err := r.client.AckAnomaly(t.Context(), &recorderv1.AckAnomalyRequest{Incident: r.incident(t), Note: "after the pass"}); err != nil {
					t.Fatal(err)
				}
				if !running {
					r.stop()
				}
				tt.damage(t, file)
				if !running {
					r.start()
				}
				v, err := r.client.VerifyRun(t.Context(), &recorderv1.VerifyRunRequest{Run: "run-1"})
				if err != nil || len(v.GetDamages()) == 0 {
					t.Fatalf("verify: %v, %v", v, err)
				}
				got, err := r.client.RepairRun(t.Context(), &recorderv1.RepairRunRequest{Run: "run-1"})
				lost := tt.name == "findings is gone" && !running // with it went what came after the last piece, and no log to say so
				if lost != (rpc.Reason(err) == "LEDGER_LOST_ACKED") || !lost && (err != nil || len(got.GetRestored()) != 1) {
					t.Fatalf("repair: %v, %v", got, err)
				}
				if !lost && (len(got.GetLosses()) > 0) {
					t.Errorf("losses: %v", got.GetLosses())
				}
				v, err = r.client.VerifyRun(t.Context(), &recorderv1.VerifyRunRequest{Run: "run-1"})
				if err != nil || (len(v.GetDamages()) > 0) != lost {
					t.Errorf("after it: %v, %v", v.GetDamages(), err)
				}
			})
		}
	}
}

// incident waits for one and names it.
func (r *rig) incident(t *testing.T) string {
	t.Helper()
	r.stream.await(t, 1)
	list, err := r.client.ListAnomalies(t.Context(), &recorderv1.ListAnomaliesRequest{Run: "run-1"})
	if err != nil || len(list.GetAnomalies()) == 0 {
		t.Fatalf("%v, %v", list, err)
	}
	return list.GetAnomalies()[0].GetIncident()
}
