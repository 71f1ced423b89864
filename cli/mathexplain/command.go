// Package mathexplain is `provenir math explain`: how an answer is read.
package mathexplain

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/mesh"
)

// NewCommand is the noun with its one verb.
func NewCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{Use: "math", Short: "Look into the math verifier", Args: cobra.NoArgs}
	var in string
	explain := &cobra.Command{
		Use: "explain [TEXT]", Short: "Say how a text is read as mathematics", Args: cobra.MaximumNArgs(1),
		Example: "  provenir math explain '\\frac{1}{2}+x'\n  provenir math explain --in rows.jsonl",
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 1) == (in != "") {
				return app.Usage(errors.New("give a text, or --in with rows {id, text, at}"))
			}
			s, err := a.Connect(cmd.Context(), mesh.Verifier)
			if err != nil {
				return err
			}
			defer s.Close()
			c := verifierv1.NewVerifierServiceClient(s.Conn)
			if in == "" {
				return one(cmd.Context(), a, c, args[0])
			}
			return rows(cmd.Context(), a, c, in)
		},
	}
	explain.Flags().StringVar(&in, "in", "", "rows {id, text, at} as JSON lines (- is standard input)")
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

func rows(ctx context.Context, a *app.App, c verifierv1.VerifierServiceClient, path string) error {
	in := a.In
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return app.Usage(err)
		}
		defer f.Close()
		in = f
	}
	return each(in, func(n int, b []byte) error {
		var row struct {
			ID   string             `json:"id"`
			Text *string            `json:"text"`
			At   map[string]float64 `json:"at"`
		}
		if err := json.Unmarshal(b, &row); err != nil || row.Text == nil {
			return app.Usage(fmt.Errorf("%s:%d: want {\"id\", \"text\"}", path, n))
		}
		got, err := ask(ctx, c, &verifierv1.ExplainMathRequest{Id: row.ID, Text: *row.Text, At: row.At})
		if err != nil {
			return err
		}
		return a.PrintJSON(got)
	})
}

func each(in io.Reader, f func(n int, b []byte) error) error {
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, 0, 64<<10), 4<<20)
	for n := 1; s.Scan(); n++ {
		if b := bytes.TrimSpace(s.Bytes()); len(b) > 0 {
			if err := f(n, b); err != nil {
				return err
			}
		}
	}
	return s.Err()
}
