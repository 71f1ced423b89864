package verifier

import (
	"testing"

	"github.com/provenir/provenir/internal/identity"
)

// BenchmarkStarlark compares a program in this process with one in a process of its own.
func BenchmarkStarlark(b *testing.B) {
	for name, tenant := range map[string]string{"here": identity.DefaultTenant, "apart": "acme"} {
		b.Run(name, func(b *testing.B) {
			_, s := serve(b, Config{}, Deps{})
			r := starlark(`def verify(row): return row["response"] == "x"`, "x")
			for b.Loop() {
				if got, err := s.Verify(as(b, tenant), r); err != nil || !got.GetVerdict().GetScored().GetPassed() {
					b.Fatal(got, err)
				}
			}
		})
	}
}
