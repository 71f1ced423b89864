//go:build linux

package sandbox

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	Init()
	if len(os.Args) > 0 && os.Args[0] == "" {
		os.Exit(2)
	}
	goleak.VerifyTestMain(m)
}
