package export

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of tensorboard/compat/proto: event.proto, summary.proto, tensor.proto.
const (
	eventWallTime, eventStep, eventVersion, eventSummary = 1, 2, 3, 5
	summaryValue                                         = 1
	valueTag, valueSimple, valueTensor, valueMetadata    = 1, 2, 8, 9
	metadataPlugin, pluginName                           = 1, 1
	tensorType, tensorShape, tensorStrings               = 1, 2, 8
	typeString                                           = 7
)

// writeTensorBoard writes a native event file: one event a step. simple_value is a float32, so a value loses digits there
// and nowhere else. The wall time is when the step became durable; where the log timing does not say, it is 0 (1970) and a
// text summary says so, because a made-up time would look measured.
func writeTensorBoard(w io.Writer, r *Run) error {
	t := &events{w: w}
	var open *Point // step that is being gathered
	var summary []byte
	undated := 0
	flush := func() {
		if open != nil {
			t.event(*open, summary)
			if open.At.IsZero() {
				undated++
			}
		}
		open, summary = nil, nil
	}
	for p, err := range r.Points {
		if err != nil {
			return err
		}
		t.begin(p.At)
		if open != nil && (open.Step != p.Step || open.Attempt != p.Attempt) {
			flush()
		}
		open = &p
		summary = appendMessage(summary, summaryValue, scalar(p))
	}
	flush()
	t.begin(time.Time{})
	if undated > 0 {
		note := fmt.Sprintf("%d steps have no wall time: the log timing does not say when they became durable, so they read 1970. Use the step axis.", undated)
		t.event(Point{}, appendMessage(nil, summaryValue, text("provenir/notes", note)))
	}
	return t.err
}

// tag names a series. TensorBoard draws one line a tag: attempts repeat steps and must not be joined.
func tag(p Point) string {
	name := p.Name
	if p.Scope != "" && p.Scope != "train" {
		name = p.Scope + "/" + name
	}
	for _, t := range []string{p.Estimator, p.Reduction} { // values that were made in other ways are other series
		if t != "" {
			name += "/" + t
		}
	}
	if p.Attempt > 0 {
		name = fmt.Sprintf("attempt_%d/%s", p.Attempt, name)
	}
	return name
}

func scalar(p Point) []byte {
	b := protowire.AppendString(protowire.AppendTag(nil, valueTag, protowire.BytesType), tag(p))
	return protowire.AppendFixed32(protowire.AppendTag(b, valueSimple, protowire.Fixed32Type), math.Float32bits(float32(p.X)))
}

func text(tag, words string) []byte {
	tensor := protowire.AppendVarint(protowire.AppendTag(nil, tensorType, protowire.VarintType), typeString)
	tensor = appendMessage(tensor, tensorShape, nil)
	tensor = protowire.AppendString(protowire.AppendTag(tensor, tensorStrings, protowire.BytesType), words)
	plugin := protowire.AppendString(protowire.AppendTag(nil, pluginName, protowire.BytesType), "text")
	b := protowire.AppendString(protowire.AppendTag(nil, valueTag, protowire.BytesType), tag)
	b = appendMessage(b, valueTensor, tensor)
	return appendMessage(b, valueMetadata, appendMessage(nil, metadataPlugin, plugin))
}

func appendMessage(b []byte, field protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), m)
}

func wall(at time.Time) []byte {
	seconds := 0.0
	if !at.IsZero() {
		seconds = float64(at.UnixNano()) / 1e9
	}
	return protowire.AppendFixed64(protowire.AppendTag(nil, eventWallTime, protowire.Fixed64Type), math.Float64bits(seconds))
}

// events frames records as TensorFlow's record writer does: length, its masked CRC32C, data, its masked CRC32C.
type events struct {
	w     io.Writer
	begun bool
	err   error
}

// begin writes the version, once. Its wall time is what TensorBoard counts relative time from.
func (t *events) begin(at time.Time) {
	if !t.begun {
		t.begun = true
		t.record(protowire.AppendString(protowire.AppendTag(wall(at), eventVersion, protowire.BytesType), "brain.Event:2"))
	}
}

func (t *events) event(p Point, summary []byte) {
	b := protowire.AppendVarint(protowire.AppendTag(wall(p.At), eventStep, protowire.VarintType), p.Step)
	t.record(appendMessage(b, eventSummary, summary))
}

func (t *events) record(data []byte) {
	if t.err != nil {
		return
	}
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, len(data)+16), uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, maskedCRC(b))
	b = append(b, data...)
	b = binary.LittleEndian.AppendUint32(b, maskedCRC(data))
	_, t.err = t.w.Write(b)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func maskedCRC(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}
