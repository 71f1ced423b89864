package engine

import (
	"errors"
	"fmt"
	"testing"
)

func TestReasonOf(t *testing.T) {
	cause := errors.New("disk on fire")
	e := &Error{Reason: "CHECKPOINT_CORRUPT", Detail: "model.safetensors", Err: cause}
	wrapped := fmt.Errorf("load run a@3: %w", e)
	if got := ReasonOf(wrapped); got != "CHECKPOINT_CORRUPT" {
		t.Errorf("reason %q", got)
	}
	if !errors.Is(wrapped, cause) || e.Error() != "CHECKPOINT_CORRUPT: model.safetensors: disk on fire" {
		t.Errorf("%v", e)
	}
	if ReasonOf(cause) != "" || ReasonOf(nil) != "" {
		t.Error("an error without a reason has one")
	}
}
