package verifier

import (
	"context"
	"fmt"
	"math"

	"google.golang.org/protobuf/types/known/structpb"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/verifier/catalog"
	answers "github.com/provenir/provenir/services/verifier/math"
	"github.com/provenir/provenir/services/verifier/spec"
)

// ListVerifiers lists what can judge here, by name.
func (s *Service) ListVerifiers(context.Context, *verifierv1.ListVerifiersRequest) (*verifierv1.ListVerifiersResponse, error) {
	out := &verifierv1.ListVerifiersResponse{}
	for _, name := range catalog.Names() {
		d, err := catalog.Describe(name)
		if err != nil {
			return nil, err
		}
		schema, err := structpb.NewStruct(d.Schema())
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", name, err)
		}
		info := &verifierv1.VerifierInfo{Name: name, OptionsSchema: schema, Summary: d.Summary}
		// A verifier that needs an option, or members, has no digest of its own.
		if c, err := catalog.Compile(spec.Spec{Name: name}, s.compiled.env); err == nil {
			info.Digest = c.Digest[:]
		}
		out.Verifiers = append(out.Verifiers, info)
	}
	return out, nil
}

// ExplainMath says how a text is read as an answer.
func (s *Service) ExplainMath(_ context.Context, r *verifierv1.ExplainMathRequest) (*verifierv1.ExplainMathResponse, error) {
	for name, v := range r.GetAt() {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, invalid("at."+name, "a point has finite values")
		}
	}
	e := answers.Explain(r.GetText(), r.GetAt())
	out := &verifierv1.ExplainMathResponse{Id: r.GetId(), Kind: e.Kind, Canonical: e.Canonical, Tree: e.Tree, Error: e.Error}
	if e.Value != nil {
		re, im := real(*e.Value), imag(*e.Value)
		out.ValueRe, out.ValueIm = &re, &im
	}
	return out, nil
}
