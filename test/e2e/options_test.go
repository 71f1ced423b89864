package e2e

import (
	"testing"

	"google.golang.org/protobuf/types/known/structpb"
)

func options(t *testing.T, m map[string]any) *structpb.Struct {
	t.Helper()
	s, err := structpb.NewStruct(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
