package store

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/provenir/provenir/ledger"
)

// CommitRecord is the payload of a COMMIT record in the log timing: when a batch of events became durable, and what
// those events carried that two equal runs do not share.
type CommitRecord struct {
	First    uint64 // event
	Last     uint64
	Epoch    uint64
	At       time.Time
	Host     string
	Volatile []VolatileField // by Seq, only events that have some
}

// VolatileField belongs to one event.
type VolatileField struct {
	Seq  uint64
	Data []byte
}

// maxCommitVolatile bounds a COMMIT record; more goes into a second one.
const maxCommitVolatile = 128 << 10

var errCommit = errors.New("store: COMMIT record is malformed")

// AppendBinary appends the record's bytes: four little-endian u64 (first, last, epoch, Unix nanoseconds), then length
// and bytes of the host, then seq, length and bytes of each volatile field, lengths and seqs as unsigned varints.
func (c CommitRecord) AppendBinary(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, c.First)
	b = binary.LittleEndian.AppendUint64(b, c.Last)
	b = binary.LittleEndian.AppendUint64(b, c.Epoch)
	b = binary.LittleEndian.AppendUint64(b, uint64(c.At.UnixNano()))
	b = binary.AppendUvarint(b, uint64(len(c.Host)))
	b = append(b, c.Host...)
	for _, v := range c.Volatile {
		b = binary.AppendUvarint(b, v.Seq)
		b = binary.AppendUvarint(b, uint64(len(v.Data)))
		b = append(b, v.Data...)
	}
	return b
}

// ParseCommit reads a COMMIT record. Volatile data points into b.
func ParseCommit(b []byte) (CommitRecord, error) {
	if len(b) < 33 {
		return CommitRecord{}, errCommit
	}
	c := CommitRecord{
		First: binary.LittleEndian.Uint64(b),
		Last:  binary.LittleEndian.Uint64(b[8:]),
		Epoch: binary.LittleEndian.Uint64(b[16:]),
		At:    time.Unix(0, int64(binary.LittleEndian.Uint64(b[24:]))).UTC(),
	}
	host, b, err := takeBytes(b[32:])
	if err != nil {
		return CommitRecord{}, err
	}
	c.Host = string(host)
	for len(b) > 0 {
		seq, n := binary.Uvarint(b)
		if n <= 0 {
			return CommitRecord{}, errCommit
		}
		var data []byte
		if data, b, err = takeBytes(b[n:]); err != nil {
			return CommitRecord{}, err
		}
		c.Volatile = append(c.Volatile, VolatileField{Seq: seq, Data: data})
	}
	return c, nil
}

func takeBytes(b []byte) (head, rest []byte, err error) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) {
		return nil, nil, errCommit
	}
	return b[k : k+int(n)], b[k+int(n):], nil
}

// commitRecords describes a batch. Most often it is one record; a batch with much volatile data gives several, each with
// the whole range.
func (l *Log) commitRecords(b *batch) []Record {
	c := CommitRecord{First: b.first, Last: b.next() - 1, Epoch: l.run.Epoch(), At: l.store.deps.Clock.Now(), Host: l.store.cfg.Host}
	var recs []Record
	size := 0
	put := func() {
		recs = append(recs, Record{Type: ledger.Commit, Payload: c.AppendBinary(nil)})
		c.Volatile, size = c.Volatile[:0], 0
	}
	for _, v := range b.volatile {
		if size += len(v.data) + 16; size > maxCommitVolatile && len(c.Volatile) > 0 {
			put()
			size = len(v.data) + 16
		}
		c.Volatile = append(c.Volatile, VolatileField{Seq: v.seq, Data: v.data})
	}
	put()
	return recs
}

// commitKey is what the index of timing is searched by.
func commitKey(t ledger.RecordType, payload []byte) uint64 {
	if t != ledger.Commit || len(payload) < 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(payload)
}
