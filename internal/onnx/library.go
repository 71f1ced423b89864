package onnx

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// EnvLibrary names the library when the configuration does not.
const EnvLibrary = "PROVENIR_ONNXRUNTIME"

// Find gives the path of the library: the configured one, else PROVENIR_ONNXRUNTIME, else lib/onnxruntime/ beside the
// program or one folder above it. A path that was set and is not there is an error: falling through would run another
// library than the one that was asked for.
func Find(configured string) (string, error) {
	exe, err := os.Executable()
	if err == nil {
		exe, err = filepath.EvalSymlinks(exe)
	}
	folders := []string{}
	if err == nil {
		folders = append(folders, filepath.Dir(exe), filepath.Dir(filepath.Dir(exe)))
	}
	return find(configured, os.Getenv(EnvLibrary), folders)
}

func find(configured, env string, folders []string) (string, error) {
	for _, set := range []struct{ path, by string }{{configured, "onnx.library"}, {env, EnvLibrary}} {
		if set.path == "" {
			continue
		}
		if st, err := os.Stat(set.path); err != nil || st.IsDir() {
			return "", &Error{Reason: NotFound, Detail: set.by + " must name the library file", Tried: []string{set.path}, Err: err}
		}
		return set.path, nil
	}
	var tried []string
	for _, f := range folders {
		pattern := filepath.Join(f, "lib", "onnxruntime", fileName())
		tried = append(tried, pattern)
		found, _ := filepath.Glob(pattern) // the pattern is well-formed
		found = slices.DeleteFunc(found, func(p string) bool { return strings.Contains(filepath.Base(p), "_providers_") })
		if len(found) > 0 {
			slices.Sort(found)
			return found[len(found)-1], nil
		}
	}
	return "", &Error{Reason: NotFound, Detail: "the built-in engine needs ONNX Runtime; run `make onnxruntime`, or set " +
		EnvLibrary + " to the library", Tried: tried}
}

func fileName() string {
	switch runtime.GOOS {
	case "darwin":
		return "libonnxruntime*.dylib"
	case "windows":
		return "onnxruntime*.dll"
	}
	return "libonnxruntime.so*"
}
