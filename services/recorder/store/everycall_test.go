package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk/powercut"
)

// promise is what a run of the script was told: none of it may be taken back.
type promise struct {
	acked  uint64 // events
	found  uint64 // findings
	epoch  uint64
	sealed bool
}

// script is a small run with rolls, checkpoints, findings, a change of owner and a seal.
type script struct {
	t       *testing.T
	disk    *powercut.Disk
	clock   *clock.Fake
	promise promise
}

const scriptRecords = 60

func (s *script) open() (*Store, *Run, error) {
	signer, _ := testKeys(s.t)
	st, err := Open(Config{SegmentBytes: 4096, Reserve: 1, CheckpointRecords: 10, Linger: time.Nanosecond}, Deps{Disk: s.disk, Signer: signer, Clock: s.clock, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, nil, err
	}
	run, err := st.Run(context.Background(), "acme", "run-1", true)
	if err != nil {
		return nil, nil, errors.Join(err, st.Close())
	}
	return st, run, nil
}

// play writes the run to its end, or to the first error that a writer cannot wait out.
func (s *script) play() error {
	st, run, err := s.open()
	if err != nil {
		return err
	}
	err = s.write(run)
	return errors.Join(err, st.Close())
}

func (s *script) write(run *Run) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if run.Sealed() {
		return nil
	}
	events, findings := run.Log(ledger.Events), run.Log(ledger.Findings)
	for events.Next() < scriptRecords {
		at := events.Next()
		if err := s.claim(run, 1+at/40); err != nil {
			return err
		}
		err := events.Append(ctx, run.Epoch(), records(at, min(at+5, scriptRecords)))
		if err == nil {
			err = events.Sync(ctx)
		}
		if KindOf(err) == DiskFull { // a writer waits and goes on from what is durable
			s.clock.Advance(2 * time.Second)
			continue
		}
		if err != nil {
			return err
		}
		s.promise.acked = events.Durable()
		if at%20 < 5 {
			if _, err := findings.AppendNext(ctx, []Record{{Type: ledger.Anomaly, Payload: []byte("found")}}); err != nil {
				return err
			}
			if err := findings.Sync(ctx); err == nil {
				s.promise.found = findings.Durable()
			} else if KindOf(err) != DiskFull {
				return err
			}
		}
	}
	if _, err := run.Seal(ctx, run.Epoch()); err != nil {
		return err
	}
	s.promise.sealed = true
	return nil
}

func (s *script) claim(run *Run, epoch uint64) error {
	if run.Epoch() >= epoch {
		return nil
	}
	if err := run.Claim(epoch); err != nil {
		return err
	}
	s.promise.epoch = epoch
	return nil
}

// kept checks that all that was promised is there, goes on to the end, and compares the root with that of a run that
// nothing happened to.
func (s *script) kept() error {
	st, run, err := s.open()
	if err != nil {
		return fmt.Errorf("the run cannot be taken up: %w", err)
	}
	defer st.Close()
	events, findings := run.Log(ledger.Events), run.Log(ledger.Findings)
	for _, kind := range ledger.Logs {
		if err := run.Log(kind).Broken(); err != nil && KindOf(err) != Sealed {
			return err
		}
	}
	p := s.promise
	if events.Durable() < p.acked || findings.Durable() < p.found || run.Epoch() < p.epoch || p.sealed && !run.Sealed() {
		return fmt.Errorf("promised %+v; there are %d events, %d findings, epoch %d, sealed %v", p, events.Durable(), findings.Durable(), run.Epoch(), run.Sealed())
	}
	if err := s.write(run); err != nil {
		return fmt.Errorf("the run cannot go on: %w", err)
	}
	n := uint64(0)
	for f, err := range events.Events(context.Background(), Query{}) {
		if err != nil {
			return fmt.Errorf("record %d: %w", n, err)
		}
		if f.Seq != n || string(f.Stored) != string(record(n).Payload) {
			return fmt.Errorf("record %d reads as %d %q", n, f.Seq, f.Stored)
		}
		n++
	}
	_, keys := testKeys(s.t)
	for _, kind := range ledger.Logs {
		report, err := run.Log(kind).Verify(context.Background(), keys)
		if kind == ledger.Timing && errors.Is(err, ledger.ErrNoLog) {
			continue // it may lose its tail, and all of it is a tail here
		}
		if err != nil || !report.OK() {
			return fmt.Errorf("log %s: %w, damages %v", kind, err, report)
		}
		if kind == ledger.Events && (report.Root != rootOf(scriptRecords) || report.Covered != scriptRecords || n != scriptRecords) {
			return fmt.Errorf("%d records, %d covered, another root", n, report.Covered)
		}
	}
	return nil
}

// Every call that the store makes of its disk fails once, in every way; the machine dies before every call, and what was
// not synced is lost, torn, or kept. Nothing that was acknowledged is lost, nothing is damaged, the root is the same.
func TestEveryCallFailsOnce(t *testing.T) {
	fresh := func() *script {
		return &script{t: t, disk: powercut.New(), clock: clock.NewFake(time.Unix(1_700_000_000, 0))}
	}
	s := fresh()
	s.disk.Plan(0, powercut.None)
	if err := s.play(); err != nil {
		t.Fatal(err)
	}
	calls := len(s.disk.Calls())
	if err := s.kept(); err != nil || !s.promise.sealed || calls < 150 {
		t.Fatalf("without any fault: %v, %+v, %d calls", err, s.promise, calls)
	}
	stride := 7
	if *full {
		stride = 1
	}
	cases := []struct {
		name  string
		fault powercut.Fault
		loss  powercut.Loss
	}{
		{"ENOSPC", powercut.Full, powercut.Kept}, {"EIO", powercut.Broken, powercut.Kept}, {"short write", powercut.Short, powercut.Kept},
		{"EIO, then a power cut", powercut.Broken, powercut.Lost},
		{"power cut", powercut.Off, powercut.Lost}, {"torn writes", powercut.Off, powercut.Torn}, {"killed", powercut.Off, powercut.Kept},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for at := 1; at <= calls+5; at += stride {
				s := fresh()
				s.disk.Plan(at, c.fault)
				playErr := s.play()
				all := s.disk.Calls()
				s.disk.Cut(c.loss)
				if err := s.kept(); err != nil {
					t.Errorf("call %d (%s) of %d: %v\nthe script had ended with %v", at, all[min(at, len(all))-1], len(all), err, playErr)
				}
			}
		})
	}
}
