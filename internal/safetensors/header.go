package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// readHeader reads and checks the head of a file of the given size. Tensors come back in the order of their bytes.
func readHeader(r io.Reader, size int64) (ts []Tensor, meta map[string]string, data int64, err error) {
	bad := func(at int64, detail string, err error) error { return &Error{Byte: at, Detail: detail, Err: err} }
	var n [8]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return nil, nil, 0, bad(0, "the header's length is missing", err)
	}
	length := binary.LittleEndian.Uint64(n[:])
	if length > MaxHeader || int64(length) > size-8 {
		return nil, nil, 0, bad(0, fmt.Sprintf("a header of %d bytes in a file of %d (at most %d are read)", length, size, MaxHeader), nil)
	}
	raw := make([]byte, length)
	if _, err := io.ReadFull(r, raw); err != nil {
		return nil, nil, 0, bad(8, "the header is cut off", err)
	}
	if len(raw) == 0 || raw[0] != '{' {
		return nil, nil, 0, bad(8, "the header does not begin with {", nil)
	}
	entries, err := object(raw)
	if err != nil {
		return nil, nil, 0, bad(8, "the header is not strict JSON", err)
	}
	data = 8 + int64(length)
	for _, e := range entries {
		if e.key == "__metadata__" {
			if meta, err = metadata(e.value); err != nil {
				return nil, nil, 0, bad(8, "__metadata__", err)
			}
			continue
		}
		t, err := entry(e.key, e.value, data, size)
		if err != nil {
			return nil, nil, 0, &Error{Tensor: e.key, Byte: 8, Detail: "bad header entry", Err: err}
		}
		ts = append(ts, t)
	}
	slices.SortStableFunc(ts, func(a, b Tensor) int {
		switch {
		case a.Offset != b.Offset:
			return int(max(-1, min(1, a.Offset-b.Offset)))
		case a.Length != b.Length: // empty tensors before the one that begins at the same byte
			return int(max(-1, min(1, a.Length-b.Length)))
		}
		return bytes.Compare([]byte(a.Name), []byte(b.Name))
	})
	at := data
	for _, t := range ts {
		if t.Offset != at {
			return nil, nil, 0, &Error{Tensor: t.Name, Byte: t.Offset, Detail: fmt.Sprintf("begins there, the one before ended at byte %d", at)}
		}
		at += t.Length
	}
	if at != size {
		return nil, nil, 0, bad(at, fmt.Sprintf("the tensors end there, the file has %d bytes", size), nil)
	}
	return ts, meta, data, nil
}

type member struct {
	key   string
	value json.RawMessage
}

// object reads one JSON object and refuses duplicate keys, which encoding/json would resolve silently.
func object(raw []byte) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
		return nil, errors.Join(errors.New("want an object"), err)
	}
	seen := map[string]bool{}
	var out []member
	for d.More() {
		tok, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, ok := tok.(string)
		if !ok {
			return nil, fmt.Errorf("key %v is not a string", tok)
		}
		if seen[key] {
			return nil, fmt.Errorf("key %q twice", key)
		}
		seen[key] = true
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		out = append(out, member{key, v})
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if rest := bytes.TrimLeft(raw[d.InputOffset():], " "); len(rest) > 0 { // padding is spaces
		return nil, fmt.Errorf("%d bytes after the object", len(rest))
	}
	return out, nil
}

func metadata(raw []byte) (map[string]string, error) {
	ms, err := object(raw)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, m := range ms {
		var s *string
		if err := json.Unmarshal(m.value, &s); err != nil || s == nil {
			return nil, errors.Join(fmt.Errorf("the value of %q is not a string", m.key), err)
		}
		out[m.key] = *s
	}
	return out, nil
}

func entry(name string, raw []byte, data, size int64) (Tensor, error) {
	t := Tensor{Name: name}
	ms, err := object(raw)
	if err != nil {
		return t, err
	}
	var offsets []int64
	for _, m := range ms {
		var to any
		switch m.key {
		case "dtype":
			to = &t.DType
		case "shape":
			to = &t.Shape
		case "data_offsets":
			to = &offsets
		default:
			return t, fmt.Errorf("unknown key %q", m.key)
		}
		if err := json.Unmarshal(m.value, to); err != nil {
			return t, fmt.Errorf("%s: %w", m.key, err)
		}
	}
	width, ok := widths[t.DType]
	if !ok {
		return t, fmt.Errorf("dtype %q", t.DType)
	}
	if t.Shape == nil || len(offsets) != 2 {
		return t, errors.New("shape or data_offsets missing")
	}
	if offsets[0] < 0 || offsets[1] < offsets[0] || offsets[1] > size-data {
		return t, fmt.Errorf("data_offsets %v in %d bytes of data", offsets, size-data)
	}
	t.Offset, t.Length = data+offsets[0], offsets[1]-offsets[0]
	want := width
	for _, d := range t.Shape {
		if d < 0 || (d > 0 && want > math.MaxInt64/d) {
			return t, fmt.Errorf("shape %v", t.Shape)
		}
		want *= d
	}
	if want != t.Length {
		return t, fmt.Errorf("shape %v of %s is %d bytes, data_offsets give %d", t.Shape, t.DType, want, t.Length)
	}
	return t, nil
}
