package pump

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/credit"
	"github.com/provenir/provenir/internal/rpc"
)

// Judge is the verifier's end: rollouts go in by item number, verdicts come back in any order.
type Judge struct {
	stream verifierv1.VerifierService_VerifyRolloutsClient
	cancel context.CancelFunc
	bell   *Bell
	bytes  *credit.Window
	items  *credit.Window
	opened *verifierv1.VerifyOpened
	seq    uint64 // items are numbered apart from records: with several rounds open they do not run in step

	mu      sync.Mutex
	results map[uint64]*verifierv1.VerdictItem
	heldout map[uint64]*verifierv1.VerdictItem
	err     error
	done    chan struct{}
}

// JudgeSpec is how to judge.
type JudgeSpec struct {
	Run      string
	Spec     *verifierv1.Spec
	Holdout  *verifierv1.Holdout
	Deadline *durationpb.Duration
}

// OpenJudge compiles the spec at the verifier.
func OpenJudge(ctx context.Context, c verifierv1.VerifierServiceClient, s JudgeSpec, b *Bell) (*Judge, error) {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := c.VerifyRollouts(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	j := &Judge{stream: stream, cancel: cancel, bell: b, bytes: credit.NewWindow(), items: credit.NewWindow(),
		results: map[uint64]*verifierv1.VerdictItem{}, heldout: map[uint64]*verifierv1.VerdictItem{}, done: make(chan struct{})}
	open := &verifierv1.OpenVerify{Protocol: 1, RunId: s.Run, Spec: s.Spec, Holdout: s.Holdout, Deadline: s.Deadline}
	if err = stream.Send(&verifierv1.VerifyRolloutsRequest{Frame: &verifierv1.VerifyRolloutsRequest_Open{Open: open}}); err == nil || err == io.EOF {
		var first *verifierv1.VerifyRolloutsResponse
		if first, err = stream.Recv(); err == nil {
			err = j.begin(first)
		}
	}
	if err != nil {
		cancel()
		return nil, err
	}
	go j.receive()
	return j, nil
}

func (j *Judge) begin(first *verifierv1.VerifyRolloutsResponse) error {
	if r := first.GetReject(); r != nil {
		return refused(r)
	}
	if j.opened = first.GetOpened(); j.opened == nil {
		return errors.New("the verifier did not answer open")
	}
	j.grant(j.opened.GetCredit())
	return nil
}

// Opened is the verifier's answer: its digests.
func (j *Judge) Opened() *verifierv1.VerifyOpened { return j.opened }

func (j *Judge) grant(c *verifierv1.VerifyCredit) {
	j.bytes.Grant(int64(c.GetBytes()))
	j.items.Grant(int64(c.GetItems()))
}

// Send gives rollouts to the verifier and returns the item number of the first; the others follow.
func (j *Judge) Send(ctx context.Context, frames []*trainerv1.RolloutFrame) (uint64, error) {
	first := j.seq + 1
	items := &verifierv1.VerifyItems{Items: make([]*verifierv1.VerifyItem, 0, len(frames))}
	size := 0
	for _, f := range frames {
		j.seq++
		items.Items = append(items.Items, &verifierv1.VerifyItem{Seq: j.seq, Rollout: f.GetBody(), Digest: f.GetDigest(), RolloutId: f.GetRolloutId()})
		size += len(f.GetBody())
	}
	if err := errors.Join(j.items.Take(ctx, int64(len(frames))), j.bytes.Take(ctx, int64(size))); err != nil {
		return 0, errors.Join(err, j.failure())
	}
	err := j.stream.Send(&verifierv1.VerifyRolloutsRequest{Frame: &verifierv1.VerifyRolloutsRequest_Items{Items: items}})
	if err == io.EOF {
		<-j.done
		return 0, j.failure()
	}
	return first, err
}

// Take gives the verdict of an item once it is there, and forgets it.
func (j *Judge) Take(item uint64) (*verifierv1.VerdictItem, error) { return j.take(j.results, item) }

// TakeHeldout gives the second verdict of an item.
func (j *Judge) TakeHeldout(item uint64) (*verifierv1.VerdictItem, error) {
	return j.take(j.heldout, item)
}

func (j *Judge) take(from map[uint64]*verifierv1.VerdictItem, item uint64) (*verifierv1.VerdictItem, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	v, ok := from[item]
	if !ok {
		return nil, j.err
	}
	delete(from, item)
	return v, nil
}

// Forget drops what came too late, so that memory does not grow with late verdicts.
func (j *Judge) Forget(before uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, m := range []map[uint64]*verifierv1.VerdictItem{j.results, j.heldout} {
		for seq := range m {
			if seq < before {
				delete(m, seq)
			}
		}
	}
}

func (j *Judge) failure() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

func (j *Judge) receive() {
	defer close(j.done)
	for {
		m, err := j.stream.Recv()
		if err == nil && m.GetReject() != nil {
			err = refused(m.GetReject())
		}
		if err != nil {
			j.mu.Lock()
			if j.err = err; err == io.EOF {
				j.err = errors.New("the verifier ended the stream")
			}
			j.mu.Unlock()
			j.grant(&verifierv1.VerifyCredit{Bytes: 1 << 40, Items: 1 << 30}) // nobody may wait for credit that will never come
			j.bell.ring()
			return
		}
		j.grant(m.GetCredit())
		j.mu.Lock()
		for _, v := range m.GetVerdicts().GetItems() {
			j.results[v.GetSeq()] = v
		}
		for _, v := range m.GetHeldout().GetItems() {
			j.heldout[v.GetSeq()] = v
		}
		j.mu.Unlock()
		j.bell.ring()
	}
}

// Close ends the stream and waits for its receiver.
func (j *Judge) Close() {
	_ = j.stream.CloseSend() // the stream may have ended
	j.cancel()
	<-j.done
}

func refused(r *verifierv1.VerifyReject) error {
	value, ok := corev1.ErrorReason_value["ERROR_REASON_"+r.GetReason()]
	if !ok {
		return fmt.Errorf("the verifier refused item %d: %s: %s", r.GetSeq(), r.GetReason(), r.GetDetail())
	}
	return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason(value), "%s", r.GetDetail())
}
