package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

func weights() []Weight {
	return []Weight{
		{Name: "b", Shape: []int{2, 3}, Data: []float32{1, -2, 3, float32(math.Inf(1)), 0, 6}},
		{Name: "empty", Shape: []int{0, 4}, Data: []float32{}},
		{Name: "a", Shape: []int{1}, Data: []float32{.5}},
	}
}

func written(t testing.TB, ws []Weight, meta map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, ws, meta); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	raw := written(t, weights(), map[string]string{"format": "pt"})
	r, err := NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	if r.Metadata()["format"] != "pt" || len(r.Tensors()) != 3 {
		t.Fatalf("metadata %v, %d tensors", r.Metadata(), len(r.Tensors()))
	}
	got := map[string][]float32{}
	for {
		x, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if x.Name == "a" {
			continue // skipping is allowed at any place
		}
		data := make([]float32, x.Elements())
		if err := r.Float32(data); err != nil {
			t.Fatal(err)
		}
		got[x.Name] = data
	}
	for _, w := range weights() {
		if w.Name != "a" && !slices.Equal(got[w.Name], w.Data) {
			t.Errorf("%s is %v, want %v", w.Name, got[w.Name], w.Data)
		}
	}
	if !bytes.Equal(raw, written(t, weights(), map[string]string{"format": "pt"})) {
		t.Error("the same weights gave other bytes")
	}
}

// file puts a header before data.
func file(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func TestRefuses(t *testing.T) {
	entry := func(dtype, shape string, from, to int) string {
		return fmt.Sprintf(`{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, dtype, shape, from, to)
	}
	for _, c := range []struct {
		name, header string
		data         int
		want         string // in the message
	}{
		{"gap", `{"a":` + entry("F32", "[1]", 0, 4) + `,"b":` + entry("F32", "[1]", 8, 12) + `}`, 12, "tensor b"},
		{"overlap", `{"a":` + entry("F32", "[2]", 0, 8) + `,"b":` + entry("F32", "[1]", 4, 8) + `}`, 8, "tensor b"},
		{"same bytes twice", `{"a":` + entry("F32", "[1]", 0, 4) + `,"b":` + entry("F32", "[1]", 0, 4) + `}`, 4, "tensor b"},
		{"starts late", `{"a":` + entry("F32", "[1]", 4, 8) + `}`, 8, "tensor a"},
		{"trailing bytes", `{"a":` + entry("F32", "[1]", 0, 4) + `}`, 9, "the file has"},
		{"past the end", `{"a":` + entry("F32", "[4]", 0, 16) + `}`, 8, "tensor a"},
		{"backwards", `{"a":` + entry("F32", "[1]", 4, 0) + `}`, 4, "tensor a"},
		{"shape against offsets", `{"a":` + entry("F32", "[3]", 0, 4) + `}`, 4, "12 bytes"},
		{"overflowing shape", `{"a":` + entry("F32", "[4611686018427387904,4]", 0, 0) + `}`, 0, "shape"},
		{"negative shape", `{"a":` + entry("F32", "[-1]", 0, 4) + `}`, 4, "shape"},
		{"fraction", `{"a":` + entry("F32", "[1.5]", 0, 4) + `}`, 4, "shape"},
		{"unknown dtype", `{"a":` + entry("F31", "[1]", 0, 4) + `}`, 4, "F31"},
		{"no dtype", `{"a":{"shape":[1],"data_offsets":[0,4]}}`, 4, "tensor a"},
		{"no shape", `{"a":{"dtype":"F32","data_offsets":[0,4]}}`, 4, "missing"},
		{"three offsets", `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}`, 4, "missing"},
		{"unknown key", `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}`, 4, "unknown key"},
		{"duplicate tensor", `{"a":` + entry("F32", "[1]", 0, 4) + `,"a":` + entry("F32", "[1]", 0, 4) + `}`, 4, "twice"},
		{"duplicate field", `{"a":{"dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4]}}`, 4, "twice"},
		{"metadata not text", `{"__metadata__":{"step":1}}`, 0, "__metadata__"},
		{"metadata null", `{"__metadata__":{"step":null}}`, 0, "__metadata__"},
		{"leading space", ` {}`, 0, "begin"},
		{"two objects", `{}{}`, 0, "after"},
		{"not closed", `{"a":`, 0, "JSON"},
		{"array", `[]`, 0, "begin"},
		{"empty header", ``, 0, "begin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := file(c.header, c.data)
			_, err := NewReader(bytes.NewReader(raw), int64(len(raw)))
			var e *Error
			if !errors.As(err, &e) || e.ErrorReason() != Corrupt {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q does not say %q", err, c.want)
			}
		})
	}
}

// A header that claims to be larger than the file must not be allocated.
func TestHeaderBomb(t *testing.T) {
	for _, n := range []uint64{math.MaxUint64, 1 << 62, MaxHeader + 1, 100} {
		raw := append(binary.LittleEndian.AppendUint64(nil, n), "{}"...)
		if _, err := NewReader(bytes.NewReader(raw), int64(len(raw))); err == nil {
			t.Errorf("a header of %d bytes in a file of %d was accepted", n, len(raw))
		}
	}
}

// Every cut of a good file is noticed.
func TestTruncated(t *testing.T) {
	raw := written(t, weights(), nil)
	for n := range raw {
		if read(raw[:n]) == nil {
			t.Errorf("a file cut to %d of %d bytes was read", n, len(raw))
		}
		// The size may lie as well: a file that shrinks while it is read.
		if r, err := NewReader(bytes.NewReader(raw[:n]), int64(len(raw))); err == nil && drain(r) == nil {
			t.Errorf("a file that ended at %d of %d bytes was read", n, len(raw))
		}
	}
}

func read(raw []byte) error {
	r, err := NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return err
	}
	return drain(r)
}

func drain(r *Reader) error {
	for {
		x, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if _, float := toFloat32[x.DType]; float {
			if err := r.Float32(make([]float32, x.Elements())); err != nil {
				return err
			}
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add(written(f, weights(), map[string]string{"format": "pt"}))
	f.Add(file(`{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}`, 4))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := NewReader(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			return
		}
		total := int64(0)
		for _, x := range r.Tensors() {
			total += x.Length
		}
		if total > int64(len(raw)) {
			t.Fatalf("%d bytes of tensors in a file of %d", total, len(raw))
		}
		if err := drain(r); err != nil {
			t.Fatalf("the header was accepted and the data was not: %v", err)
		}
	})
}

func TestConversions(t *testing.T) {
	for _, c := range []struct {
		dtype string
		bytes []byte
		want  float32
	}{
		{"BF16", []byte{0x80, 0x3f}, 1},
		{"F16", []byte{0x00, 0x3c}, 1},
		{"F16", []byte{0x00, 0xc0}, -2},
		{"F16", []byte{0xff, 0x7b}, 65504},
		{"F16", []byte{0x01, 0x00}, 1. / (1 << 24)},
		{"F16", []byte{0x01, 0x80}, -1. / (1 << 24)},
		{"F16", []byte{0x00, 0x7c}, float32(math.Inf(1))},
		{"F64", binary.LittleEndian.AppendUint64(nil, math.Float64bits(.1)), .1},
		{"F32", binary.LittleEndian.AppendUint32(nil, math.Float32bits(.1)), .1},
	} {
		raw := file(fmt.Sprintf(`{"a":{"dtype":%q,"shape":[1],"data_offsets":[0,%d]}}`, c.dtype, len(c.bytes)), 0)
		raw = append(raw, c.bytes...)
		r, err := NewReader(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		got := make([]float32, 1)
		if err := r.Float32(got); err != nil || got[0] != c.want {
			t.Errorf("%s % x is %g, %v; want %g", c.dtype, c.bytes, got[0], err, c.want)
		}
	}
	if v := half(0x7e00); v == v {
		t.Errorf("a NaN became %g", v)
	}
}

func TestFloat32Refuses(t *testing.T) {
	raw := file(`{"a":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}`, 4)
	r, err := NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if err := r.Float32(make([]float32, 1)); err == nil {
		t.Error("integers were read as weights")
	}
	if err := r.Float32(make([]float32, 2)); err == nil {
		t.Error("two elements were read of one")
	}
}

func TestWriteRefuses(t *testing.T) {
	for _, ws := range [][]Weight{
		{{Name: "a", Shape: []int{2}, Data: []float32{1}}},
		{{Name: "a", Shape: []int{1}, Data: []float32{1}}, {Name: "a", Shape: []int{1}, Data: []float32{1}}},
		{{Name: "a", Data: []float32{1}}},
	} {
		if err := Write(io.Discard, ws, nil); err == nil {
			t.Errorf("%v was written", ws)
		}
	}
}
