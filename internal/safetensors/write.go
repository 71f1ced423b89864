package safetensors

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// Weight is a float32 tensor to write.
type Weight struct {
	Name  string
	Shape []int
	Data  []float32
}

// Write writes weights in the order given, as F32. Equal arguments give equal bytes.
func Write(w io.Writer, weights []Weight, metadata map[string]string) error {
	head, err := encodeHeader(weights, metadata)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("write safetensors header: %w", err)
	}
	buf := make([]byte, 0, 1<<18)
	for _, t := range weights {
		for data := t.Data; len(data) > 0; {
			n := min(len(data), cap(buf)/4)
			buf = buf[:0]
			for _, x := range data[:n] {
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(x))
			}
			if _, err := w.Write(buf); err != nil {
				return fmt.Errorf("write tensor %s: %w", t.Name, err)
			}
			data = data[n:]
		}
	}
	return nil
}

func encodeHeader(weights []Weight, metadata map[string]string) ([]byte, error) {
	type tensor struct {
		DType   string   `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	head := map[string]any{} // encoding/json sorts the keys
	if metadata != nil {
		head["__metadata__"] = metadata
	}
	at := int64(0)
	for _, t := range weights {
		n := 1
		for _, d := range t.Shape {
			n *= d
		}
		if _, twice := head[t.Name]; twice || n != len(t.Data) || t.Shape == nil {
			return nil, fmt.Errorf("tensor %q of shape %v with %d elements: want one of the name, with its shape", t.Name, t.Shape, len(t.Data))
		}
		head[t.Name] = tensor{"F32", t.Shape, [2]int64{at, at + 4*int64(n)}}
		at += 4 * int64(n)
	}
	j, err := json.Marshal(head)
	if err != nil {
		return nil, fmt.Errorf("safetensors header: %w", err)
	}
	for len(j)%8 != 0 { // aligned data can be mapped
		j = append(j, ' ')
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(j))), j...), nil
}
