// Package toolcallparse is `provenir toolcall parse`: which tool calls a text makes.
package toolcallparse

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
	cmd := &cobra.Command{Use: "toolcall", Short: "Look into the tool_call verifier", Args: cobra.NoArgs}
	var o batch.Options
	var format string
	parse := &cobra.Command{
		Use: "parse [TEXT]", Short: "Say which tool calls a text makes", Args: cobra.MaximumNArgs(1),
		Long:    "Reads calls in any of 23 formats. A text holds calls, none, or something malformed; what cannot be read is never \"no call\".",
		Example: "  provenir toolcall parse '<tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_call>'\n  provenir toolcall parse --in rows.jsonl",
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 1) == (o.In != "") {
				return app.Usage(errors.New("give a text, or --in with rows {id, raw, format, tools}"))
			}
			s, err := a.Connect(cmd.Context(), mesh.Verifier)
			if err != nil {
				return err
			}
			defer s.Close()
			c := verifierv1.NewVerifierServiceClient(s.Conn)
			if len(args) == 1 {
				return one(cmd.Context(), a, c, args[0], format)
			}
			return o.Run(cmd.Context(), a, func(ctx context.Context, id string, row rows.Row) (any, error) {
				return parseRow(ctx, c, id, row, format)
			})
		},
	}
	o.Bind(parse, "{id, raw, format, tools}")
	parse.Flags().StringVar(&format, "format", "auto", "how calls are written, where a row does not say it")
	cmd.AddCommand(parse)
	return cmd
}

// answer is a line of the output.
type answer struct {
	ID      string `json:"id,omitempty"`
	Outcome string `json:"outcome"`
	Calls   []call `json:"calls"`
	Format  string `json:"format,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

type call struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
	ID        string          `json:"id,omitempty"`
}

func ask(ctx context.Context, c verifierv1.VerifierServiceClient, req *verifierv1.ParseToolCallsRequest) (answer, error) {
	m, err := c.ParseToolCalls(ctx, req)
	if err != nil {
		return answer{}, err
	}
	out := answer{ID: m.GetId(), Outcome: m.GetOutcome(), Calls: []call{}, Format: m.GetFormat(), Reason: m.GetReason()}
	for _, x := range m.GetCalls() {
		out.Calls = append(out.Calls, call{Name: x.GetName(), Arguments: json.RawMessage(x.GetArgumentsJson()), ID: x.GetCallId()})
	}
	return out, nil
}

func one(ctx context.Context, a *app.App, c verifierv1.VerifierServiceClient, text, format string) error {
	got, err := ask(ctx, c, &verifierv1.ParseToolCallsRequest{Raw: []byte(text), Format: format})
	if err != nil {
		return err
	}
	if a.JSON {
		return a.PrintJSON(got)
	}
	a.Print("%-8s %s", "outcome", got.Outcome)
	a.Print("%-8s %s", "format", got.Format)
	if got.Reason != "" {
		a.Print("%-8s %s", "reason", got.Reason)
	}
	for _, x := range got.Calls {
		a.Print("%-8s %s%s", "call", x.Name, x.Arguments)
	}
	return nil
}

// parseRow reads a row. raw may be JSON instead of text: the message of an API.
func parseRow(ctx context.Context, c verifierv1.VerifierServiceClient, id string, row rows.Row, format string) (any, error) {
	raw, ok := row.Get("raw")
	if !ok {
		return nil, batch.Bad("the row has no column raw")
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw)
	}
	if _, there := row.Get("format"); there {
		var err error
		if format, err = batch.Text(&row, "format"); err != nil {
			return nil, err
		}
	}
	tools, _ := row.Get("tools")
	if string(tools) == "null" {
		tools = nil
	}
	got, err := ask(ctx, c, &verifierv1.ParseToolCallsRequest{Id: id, Raw: []byte(text), Format: format, ToolsJson: tools})
	return got, batch.OfRow(err)
}
