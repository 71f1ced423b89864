// Package mathexplain is `provenir math explain`: how an answer is read.
package mathexplain

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/cli/batch"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rows"
	"github.com/provenir/provenir/mesh"
)

// NewCommand is the noun with its one verb.
func NewCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{Use: "math", Short: "Look into the math verifier", Args: cobra.NoArgs}
	var o batch.Options
	explain := &cobra.Command{
		Use: "explain [TEXT]", Short: "Say how a text is read as mathematics", Args: cobra.MaximumNArgs(1),
		Example: "  provenir math explain '\\frac{1}{2}+x'\n  provenir math explain --in rows.jsonl",
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 1) == (o.In != "") {
				return app.Usage(errors.New("give a text, or --in with rows {id, text, at}"))
			}
			s, err := a.Connect(cmd.Context(), mesh.Verifier)
			if err != nil {
				return err
			}
			defer s.Close()
			c := verifierv1.NewVerifierServiceClient(s.Conn)
			if len(args) == 1 {
				return one(cmd.Context(), a, c, args[0])
			}
			return o.Run(cmd.Context(), a, func(ctx context.Context, id string, row rows.Row) (any, error) {
				return explainRow(ctx, c, id, row)
			})
		},
	}
	o.Bind(explain, "{id, text, at}")
	cmd.AddCommand(explain)
	return cmd
}

type answer struct {
	ID        string     `json:"id,omitempty"`
	Kind      string     `json:"kind"`
	Canonical string     `json:"canonical,omitempty"`
	Tree      string     `json:"tree,omitempty"`
	Value     *[]float64 `json:"value,omitempty"`
	Error     string     `json:"error,omitempty"`
}

func ask(ctx context.Context, c verifierv1.VerifierServiceClient, req *verifierv1.ExplainMathRequest) (answer, error) {
	m, err := c.ExplainMath(ctx, req)
	if err != nil {
		return answer{}, err
	}
	out := answer{ID: m.GetId(), Kind: m.GetKind(), Canonical: m.GetCanonical(), Tree: m.GetTree(), Error: m.GetError()}
	if m.ValueRe != nil && m.ValueIm != nil {
		out.Value = &[]float64{m.GetValueRe(), m.GetValueIm()}
	}
	return out, nil
}

func one(ctx context.Context, a *app.App, c verifierv1.VerifierServiceClient, text string) error {
	got, err := ask(ctx, c, &verifierv1.ExplainMathRequest{Text: text})
	if err != nil {
		return err
	}
	if a.JSON {
		return a.PrintJSON(got)
	}
	a.Print("kind       %s", got.Kind)
	for _, x := range [][2]string{{"canonical", got.Canonical}, {"tree", got.Tree}, {"error", got.Error}} {
		if x[1] != "" {
			a.Print("%-10s %s", x[0], x[1])
		}
	}
	return nil
}

func explainRow(ctx context.Context, c verifierv1.VerifierServiceClient, id string, row rows.Row) (any, error) {
	text, err := batch.Text(&row, "text")
	if err != nil {
		return nil, err
	}
	var at map[string]float64
	if raw, ok := row.Get("at"); ok && json.Unmarshal(raw, &at) != nil {
		return nil, batch.Bad("column at is no object of numbers")
	}
	got, err := ask(ctx, c, &verifierv1.ExplainMathRequest{Id: id, Text: text, At: at})
	return got, batch.OfRow(err)
}
