//go:build cgo

package onnx

import (
	"errors"
	"fmt"

	ort "github.com/yalue/onnxruntime_go"
)

// options are those of a session. The caller destroys them.
func (r *Runtime) options(cfg SessionConfig) (_ *ort.SessionOptions, threads int, err error) {
	if threads = cfg.Threads; threads < 1 {
		threads = r.threads
	}
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, 0, fmt.Errorf("session options: %w", err)
	}
	spin := "0"
	if cfg.Spin {
		spin = "1"
	}
	errs := []error{
		o.SetIntraOpNumThreads(threads),
		o.SetInterOpNumThreads(1), // graphs are chains: a second node pool only costs
		o.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll),
		o.AddSessionConfigEntry("session.use_env_allocators", "1"),
		o.AddSessionConfigEntry("session.intra_op.allow_spinning", spin),
	}
	if cfg.Folder != "" {
		errs = append(errs, o.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", cfg.Folder))
	}
	if cfg.CUDA {
		errs = append(errs, cuda(o))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, 0, errors.Join(fmt.Errorf("options of graph %s: %w", cfg.Name, err), o.Destroy())
	}
	return o, threads, nil
}

// cuda adds the CUDA provider. TF32 is off: it rounds products to ten bits, which a policy ratio does not survive.
func cuda(o *ort.SessionOptions) error {
	refuse := func(err error) error {
		return &Error{Reason: CUDAUnavailable, Detail: "device: cuda needs libonnxruntime_providers_cuda.so and _shared.so of the same " +
			"version beside the library, the CUDA 12 runtime, cuBLAS, cuFFT, cuRAND and cuDNN 9; set device: cpu to run without",
			Err: err}
	}
	p, err := ort.NewCUDAProviderOptions()
	if err != nil {
		return refuse(err)
	}
	defer p.Destroy()
	if err := p.Update(map[string]string{"device_id": "0", "use_tf32": "0"}); err != nil {
		return refuse(err)
	}
	if err := o.AppendExecutionProviderCUDA(p); err != nil {
		return refuse(err)
	}
	return nil
}
