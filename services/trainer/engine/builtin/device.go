package builtin

import (
	"context"
	"errors"
	"fmt"

	"github.com/provenir/provenir/internal/onnx"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/tg"
)

// device decides between CPU and CUDA. auto tries CUDA by running a node on it and says why it fell back; cuda that
// cannot be had is an error, never a quiet run on the CPU.
func device(rt *onnx.Runtime, want string) (cuda bool, note string, err error) {
	switch want {
	case "cpu":
		return false, "", nil
	case "", "auto":
		if err := tryCUDA(rt); err != nil {
			return false, "no CUDA: " + err.Error(), nil
		}
		return true, "CUDA ran a node", nil
	case "cuda":
		return true, "", tryCUDA(rt)
	}
	return false, "", &engine.Error{Reason: "OPTION_UNSUPPORTED", Detail: fmt.Sprintf("device %q; there are auto, cpu, cuda", want)}
}

// tryCUDA runs one addition with the CPU forbidden as a fallback.
func tryCUDA(rt *onnx.Runtime) (err error) {
	g, err := tg.Build("probe", func(g *tg.Graph) {
		x := g.Input("x", tg.F32, 2)
		g.Output("y", tg.Add(x, x))
	})
	if err != nil {
		return err
	}
	s, err := rt.Session(g.Marshal(), onnx.SessionConfig{Name: "probe", Inputs: []string{"x"}, Outputs: []string{"y"}, CUDA: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	out := make([]float32, 2)
	x, errX := onnx.Float32([]float32{1, 2}, 2)
	y, errY := onnx.Float32(out, 2)
	if err := errors.Join(errX, errY); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.Close(), y.Close()) }()
	if err := s.Run(context.Background(), []*onnx.Tensor{x}, []*onnx.Tensor{y}); err != nil {
		return &onnx.Error{Reason: onnx.CUDAUnavailable, Detail: "the device did not run a node", Err: err}
	}
	if out[0] != 2 || out[1] != 4 {
		return &onnx.Error{Reason: onnx.CUDAUnavailable, Detail: fmt.Sprintf("the device added 1+1 and 2+2 to %v", out)}
	}
	return nil
}
