package rpc

import (
	"bytes"
	"testing"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// body is larger than a frame of HTTP/2, so that a message comes in parts.
var body = bytes.Repeat([]byte("rollout "), 3000)

func frames() []proto.Message {
	return []proto.Message{
		&recorderv1.AppendRequest{Frame: &recorderv1.AppendRequest_Records{Records: &recorderv1.Records{Records: []*recorderv1.Record{
			{Seq: 1, Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Payload: body, Volatile: []byte("v")}, {Seq: 2}, {Seq: 3, Payload: body, ErasureGroup: "é"}}}}},
		&recorderv1.AppendRequest{Frame: &recorderv1.AppendRequest_Open{Open: &recorderv1.Open{Run: string(body)}}},
		&recorderv1.AppendRequest{Frame: &recorderv1.AppendRequest_Records{Records: &recorderv1.Records{}}},
		&verifierv1.VerifyRolloutsRequest{Frame: &verifierv1.VerifyRolloutsRequest_Items{Items: &verifierv1.VerifyItems{Items: []*verifierv1.VerifyItem{
			{Seq: 7, Rollout: body, Digest: []byte{1, 2}, RolloutId: "a"}, {Rollout: body[:1]}}}}},
		&trainerv1.TrainResponse{Seq: 4, Digest: []byte("d"), Body: &trainerv1.TrainResponse_Rollouts{Rollouts: &trainerv1.RolloutBatch{Step: 1, Round: 2, LastOfRound: true,
			Rollouts: []*trainerv1.RolloutFrame{{RolloutId: "a", GroupId: "g", Body: body, Volatile: []byte("x")}, {GroupSize: 8, Body: body}}}}},
		&trainerv1.TrainResponse{Body: &trainerv1.TrainResponse_Heartbeat{Heartbeat: &trainerv1.Heartbeat{}}},
		&trainerv1.VerdictBatch{Rewards: [][]byte{body, nil}},
	}
}

func TestTheCodecReadsWhatItWrites(t *testing.T) {
	for _, want := range frames() {
		data, err := codec{}.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := proto.Marshal(want); err != nil || !bytes.Equal(plain, data.Materialize()) {
			t.Errorf("%T is encoded as something else, %v", want, err)
		}
		got := want.ProtoReflect().New().Interface()
		whole := data.Materialize()
		var parts mem.BufferSlice
		for len(whole) > 0 {
			n := min(len(whole), 16<<10)
			parts = append(parts, mem.SliceBuffer(bytes.Clone(whole[:n])))
			whole = whole[n:]
		}
		if err := (codec{}).Unmarshal(parts, got); err != nil || !proto.Equal(got, want) {
			t.Errorf("%T: %v\n%v", want, err, got)
		}
		for _, p := range parts {
			clear(p.ReadOnlyData()) // the transport uses its buffers again
		}
		if !proto.Equal(got, want) {
			t.Errorf("%T: the message lies in memory that is the transport's", want)
		}
	}
}

func TestTheCodecTakesMessagesOnly(t *testing.T) {
	if _, err := (codec{}).Marshal(1); err == nil {
		t.Error("a number was encoded")
	}
	if err := (codec{}).Unmarshal(nil, new(int)); err == nil {
		t.Error("a number was decoded")
	}
}

// odd are frames that are legal, or just not, and that no encoder of ours writes.
func odd() [][]byte {
	rec := func(fields ...[]byte) []byte { return bytes.Join(fields, nil) }
	bytesOf := func(n protowire.Number, b []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), b)
	}
	number := func(n protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, n, protowire.VarintType), v)
	}
	list := func(b ...[]byte) []byte { return bytesOf(2, rec(b...)) }
	one := bytesOf(1, rec(number(1, 1), bytesOf(3, body)))
	return [][]byte{
		list(one, one),
		rec(list(one), list(one)),                                // the oneof's message in two pieces is one
		rec(list(one), bytesOf(3, nil), list(one)),               // another member between them: the first is gone
		list(bytesOf(1, rec(bytesOf(3, body), bytesOf(3, nil)))), // the last value counts
		list(bytesOf(1, rec(bytesOf(3, body), bytesOf(3, []byte("last"))))),
		list(bytesOf(1, number(3, 5))), // a field of the wrong kind is unknown
		list(number(1, 5)),
		number(2, 9),
		list(one, bytesOf(77, body)),
		list(bytesOf(1, bytesOf(6, []byte{0xff, 0xfe}))), // no UTF-8
		list(one)[:len(one)-3],
		list(bytesOf(1, rec(bytesOf(3, body)[:20]))),
		protowire.AppendTag(nil, 2, protowire.StartGroupType),
		rec(protowire.AppendTag(nil, 9, protowire.StartGroupType), number(1, 1), protowire.AppendTag(nil, 9, protowire.EndGroupType), list(one)),
	}
}

// same asks the generated decoder and ours, and wants one answer.
func same(t *testing.T, b []byte) {
	t.Helper()
	for _, m := range []proto.Message{&recorderv1.AppendRequest{}, &verifierv1.VerifyRolloutsRequest{}, &trainerv1.TrainResponse{}} {
		want, got := m, m.ProtoReflect().New().Interface()
		wantErr := proto.Unmarshal(b, want)
		gotErr := bulkOf(got).unmarshal(bytes.Clone(b), got)
		if (wantErr == nil) != (gotErr == nil) {
			t.Fatalf("%T: %v, the generated decoder says %v", m, gotErr, wantErr)
		}
		if wantErr == nil && !proto.Equal(want, got) {
			t.Fatalf("%T: %v, the generated decoder says %v", m, got, want)
		}
	}
}

func TestOddFramesAreReadAsTheyMust(t *testing.T) {
	for _, b := range odd() {
		same(t, b)
	}
}

func FuzzBulk(f *testing.F) {
	for _, m := range frames() {
		if b, err := proto.Marshal(m); err == nil {
			f.Add(b)
		}
	}
	for _, b := range odd() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { same(t, b) })
}
