// Package remote judges by a verifier in another process, in any language: a target that serves VerifierService.
//
// What it answers is not trusted to be sound: the id must be the one that was asked for, the reward finite and in range,
// and the answer in time. Anything else is unscored (remote_error, out_of_range, non_finite), never a reward. Its digest is
// pinned when the spec is registered; a verifier that changes in the middle of a run is a finding in each verdict after it.
package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/text"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Name is the verifier's.
const Name = "remote"

// registration is how long a target may take to say what it is.
const registration = 15 * time.Second // a plugin is started first

// Descriptor describes remote.
func Descriptor() spec.Descriptor {
	return spec.Descriptor{
		Name: Name, Summary: "a verifier in another process that serves VerifierService",
		Options: []spec.Option{
			{Name: "target", Type: spec.Text, Required: true, Doc: "host:port on this machine"},
			{Name: "verifier", Type: spec.Text, Required: true, Doc: "its name there, as ListVerifiers has it"},
			{Name: "options", Type: spec.Document, Doc: "options of the verifier there"},
			{Name: "timeout", Type: spec.Number, Default: 10.0, Min: 0.01, Max: 600, Doc: "seconds for one answer"},
			text.FieldsOption(),
		},
	}
}

// Dial connects to a target. The connection stays the dialler's to close.
type Dial func(target string) (grpc.ClientConnInterface, error)

// Peer is the verifier that is asked.
type Peer interface {
	// Client gives the connection as it is now. told is called with each answer: sound is one in time, for the right
	// question, with a reward that can be one. An error may have a method Reason() verdict.Reason; else it is remote_error.
	Client(ctx context.Context) (c verifierv1.VerifierServiceClient, told func(sound bool), err error)
}

// static is a peer that somebody else looks after.
type static struct {
	client verifierv1.VerifierServiceClient
}

func (s static) Client(context.Context) (verifierv1.VerifierServiceClient, func(bool), error) {
	return s.client, func(bool) {}, nil
}

type judge struct {
	name    string
	peer    Peer
	spec    *verifierv1.Spec
	digest  []byte // of the verifier there, as it was registered; empty where it has none without options
	timeout time.Duration
	fields  verdict.Fields
}

// New asks the target what it is. The error is a *spec.BadSpecError.
func New(path string, v spec.Values, dial Dial) (verdict.Judge, error) {
	bad := func(field, value, allowed string) error {
		return &spec.BadSpecError{Path: path, Field: field, Value: value, Allowed: allowed}
	}
	target := v.String("target")
	if !loopback(target) {
		return nil, bad("target", target, "host:port on loopback: what goes further needs a credential and TLS, which this build has not")
	}
	conn, err := dial(target)
	if err != nil {
		return nil, bad("target", target, "an address that can be dialled: "+err.Error())
	}
	return Over(Name, path, v, "target", target, static{verifierv1.NewVerifierServiceClient(conn)})
}

// Over is a judge that asks a peer, under the name of a verifier with the options verifier, options, timeout and fields. The
// error names the option that the peer is named by, and its value.
func Over(kind, path string, v spec.Values, option, target string, peer Peer) (verdict.Judge, error) {
	bad := func(field, value, allowed string) error {
		return &spec.BadSpecError{Path: path, Field: field, Value: value, Allowed: allowed}
	}
	name := v.String("verifier")
	seconds, _ := v.Number("timeout")
	j := &judge{name: kind, peer: peer, spec: &verifierv1.Spec{Name: name}, timeout: time.Duration(seconds * float64(time.Second)), fields: text.FieldsOf(v)}
	if raw := v.String("options"); raw != "" {
		var m map[string]any
		if json.Unmarshal([]byte(raw), &m) != nil {
			return nil, bad("options", raw, "an object")
		}
		var err error
		if j.spec.Options, err = structpb.NewStruct(m); err != nil {
			return nil, bad("options", raw, err.Error())
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), registration)
	defer cancel()
	client, told, err := peer.Client(ctx)
	if err != nil {
		return nil, bad(option, target, "a verifier that can be reached: "+err.Error())
	}
	list, err := client.ListVerifiers(ctx, &verifierv1.ListVerifiersRequest{})
	if err != nil {
		told(false)
		return nil, bad(option, target, "a VerifierService that answers: "+err.Error())
	}
	var known []string
	for _, info := range list.GetVerifiers() {
		if info.GetName() == name {
			j.digest = info.GetDigest()
			return j, nil
		}
		known = append(known, info.GetName())
	}
	return nil, bad("verifier", name, fmt.Sprintf("one of the target's: %v", known))
}

func loopback(target string) bool {
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Judge waits as long as the spec's timeout.
func (j *judge) Judge(c *verdict.Candidate) verdict.Verdict {
	return j.JudgeContext(context.Background(), c)
}

// Waits is true: the answer comes from another process.
func (j *judge) Waits() bool { return true }

// JudgeContext asks the target.
func (j *judge) JudgeContext(ctx context.Context, c *verdict.Candidate) verdict.Verdict {
	response, err := j.fields.Read(c)
	if err != nil {
		return verdict.Unscore(j.name, verdict.BadRow, err.Error())
	}
	row, err := rowJSON(c.Row)
	if err != nil {
		return verdict.Unscore(j.name, verdict.BadRow, err.Error())
	}
	whole := ctx
	ctx, cancel := context.WithTimeout(ctx, j.timeout)
	defer cancel()
	client, told, err := j.peer.Client(ctx)
	if err != nil {
		reason := verdict.RemoteError
		var own interface{ Reason() verdict.Reason }
		if errors.As(err, &own) {
			reason = own.Reason()
		}
		return verdict.Unscore(j.name, reason, err.Error())
	}
	sum := sha256.Sum256(append([]byte(c.ID+"\x00"+response+"\x00"), row...))
	id := hex.EncodeToString(sum[:16]) // the same question may be asked again
	r, err := client.Verify(ctx, &verifierv1.VerifyRequest{
		RequestId: id, Candidate: &verifierv1.Candidate{RolloutId: id, Response: []byte(response), RowJson: row}, Spec: j.spec, Deadline: durationpb.New(j.timeout),
	})
	if err != nil {
		if whole.Err() == nil { // else it was not given its time
			told(false)
		}
		v := verdict.Unscore(j.name, verdict.RemoteError, err.Error())
		if ctx.Err() != nil || status.Code(err) == codes.DeadlineExceeded {
			v.Note("time_dependent", verdict.Info, "no answer within "+j.timeout.String())
		}
		return v
	}
	v, sound := j.read(r, id)
	told(sound)
	return v
}

// read checks an answer and makes it ours. One that breaks a rule is not sound.
func (j *judge) read(r *verifierv1.VerifyResponse, id string) (v verdict.Verdict, sound bool) {
	m := r.GetVerdict()
	if m.GetRolloutId() != id {
		return verdict.Unscore(j.name, verdict.RemoteError, fmt.Sprintf("the answer is for %q, asked was %q", m.GetRolloutId(), id)), false
	}
	switch {
	case m.GetScored() != nil:
		reward := m.GetScored().GetReward()
		if math.IsNaN(reward) || math.IsInf(reward, 0) {
			v = verdict.Unscore(j.name, verdict.NonFinite, fmt.Sprintf("the remote reward is %v", reward))
			break
		}
		v = verdict.Score(j.name, verdict.Scored{Reward: reward, Passed: m.GetScored().GetPassed(), Reason: m.GetReason()}, verdict.Range{})
		_, sound = v.Scored()
	case m.GetUnscored() != nil:
		v, sound = verdict.Unscore(j.name, verdict.Reason(m.GetUnscored().GetReason()), m.GetUnscored().GetDetail()), true
	default:
		v = verdict.Unscore(j.name, verdict.RemoteError, "the answer is neither scored nor unscored")
	}
	v.Extracted = verdict.Printable(m.GetExtracted())
	for _, f := range m.GetFindings() {
		v.Note(f.GetKind(), verdict.Severity(f.GetSeverity()), verdict.Printable(f.GetDetail()))
	}
	if len(j.digest) > 0 && len(m.GetVerifierDigest()) > 0 && j.spec.GetOptions() == nil && !bytes.Equal(j.digest, m.GetVerifierDigest()) {
		v.Note("verifier_changed", verdict.Critical, "the verifier is another one than was registered")
	}
	return v, sound
}

func rowJSON(row verdict.Row) ([]byte, error) {
	out := make(map[string]json.RawMessage, len(row))
	for _, f := range row {
		out[f.Key] = f.JSON
	}
	return json.Marshal(out)
}
