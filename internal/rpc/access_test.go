package rpc

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/provenir/provenir/gen/provenir/blob/v1"
	_ "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	_ "github.com/provenir/provenir/gen/provenir/governance/v1"
	_ "github.com/provenir/provenir/gen/provenir/operation/v1"
	_ "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	_ "github.com/provenir/provenir/gen/provenir/recorder/v1"
	_ "github.com/provenir/provenir/gen/provenir/trainer/v1"
	_ "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

func TestEveryRPCSaysWhoMayCallIt(t *testing.T) {
	n := 0
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			s := f.Services().Get(i)
			if !strings.HasPrefix(string(s.FullName()), "provenir.") {
				continue
			}
			for j := range s.Methods().Len() {
				n++
				if _, err := accessOf(string(s.FullName()), string(s.Methods().Get(j).Name())); err != nil {
					t.Error(err)
				}
			}
		}
		return true
	})
	if n < 40 {
		t.Errorf("only %d RPCs were looked at", n)
	}
}

func TestTheChainIsTheDocumentedOne(t *testing.T) {
	var links []Interceptor
	for _, name := range order {
		l := contextLink(name, nil)
		links = append(links, l)
	}
	if _, err := Chain(links); err != nil {
		t.Fatal(err)
	}
	swapped := slices.Clone(links)
	swapped[3], swapped[4] = swapped[4], swapped[3]
	if _, err := Chain(swapped); err == nil {
		t.Error("authorize before authenticate was accepted")
	}
	links[0].Stream = nil
	if _, err := Chain(links); err == nil {
		t.Error("a link without its stream form was accepted")
	}
}
