package ort

import (
	"errors"

	"github.com/provenir/provenir/internal/onnx"
)

// Values are tensors by name. They view Go slices; Close frees the views.
type Values map[string]*onnx.Tensor

// F32 adds a view of data.
func (v Values) F32(name string, data []float32, shape ...int) error {
	t, err := onnx.Float32(data, shape...)
	if err != nil {
		return err
	}
	v[name] = t
	return nil
}

// I64 adds a view of data.
func (v Values) I64(name string, data []int64, shape ...int) error {
	t, err := onnx.Int64(data, shape...)
	if err != nil {
		return err
	}
	v[name] = t
	return nil
}

// Close frees the views, each once even if two names share it.
func (v Values) Close() error {
	seen := map[*onnx.Tensor]bool{}
	var errs []error
	for _, t := range v {
		if !seen[t] {
			seen[t] = true
			errs = append(errs, t.Close())
		}
	}
	return errors.Join(errs...)
}
