package diagnose

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/provenir/provenir/cli/app"
	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/enginelog"
	"github.com/provenir/provenir/internal/strictjson"
)

type logRow = enginelog.Row

// maxRows bounds a log: its rows are held until the recorder has said which keys are rewards.
const maxRows = 1_000_000

func readLog(a *app.App, path string) ([]logRow, error) {
	in, err := a.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r, err := enginelog.Open(path, in)
	if err != nil {
		return nil, app.Usage(err)
	}
	defer r.Close()
	var out []logRow
	for {
		row, err := r.Next()
		var bad *enginelog.RowError
		switch {
		case errors.Is(err, io.EOF):
			return out, nil
		case errors.As(err, &bad):
			a.Warn("%s: %s", path, bad.Error())
			continue
		case err != nil:
			return nil, app.Usage(err)
		case len(out) == maxRows:
			return nil, app.Usage(fmt.Errorf("%s: more than %d rows", path, maxRows))
		}
		row.JSON = slices.Clone(row.JSON)
		out = append(out, row)
	}
}

// fill puts the rewards and the open incidents of the log into the request.
func (o *options) fill(ctx context.Context, a *app.App, client recorderv1.RecorderServiceClient, log []logRow) error {
	v, err := o.analyze(ctx, client, log)
	if err != nil {
		return err
	}
	if v.GetProblems() > 0 {
		a.Warn("%d rows or values of the log could not be used; `provenir recorder analyze` names them", v.GetProblems())
	}
	req := &o.request
	req.Rewards, req.Heldout = series(log, v.GetRoles())
	for _, i := range v.GetIncidents() {
		if i.ResolvedStep == nil && i.GetSeverity() >= corev1.Severity_SEVERITY_WARN && !slices.Contains(req.GetAnomalies(), i.GetKind()) {
			req.Anomalies = append(req.Anomalies, i.GetKind())
		}
	}
	if len(req.GetRewards()) == 0 {
		a.Warn("the log has no reward that is known; name its key with --proxy")
	}
	return nil
}

func (o *options) analyze(ctx context.Context, client recorderv1.RecorderServiceClient, log []logRow) (*recorderv1.LogVerdict, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.AnalyzeLog(ctx)
	if err != nil {
		return nil, err
	}
	sent := make(chan error, 1)
	go func() {
		head := &recorderv1.LogHeader{Engine: o.engine, Method: o.method, Proxy: o.proxy, Heldout: o.heldout, RewardRange: o.request.RewardRange}
		sent <- sendLog(stream, head, log)
	}()
	var v *recorderv1.LogVerdict
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			cancel()
			return nil, cmp.Or(err, <-sent) // waits for the sender; the receiver has the reason
		}
		if m.GetVerdict() != nil {
			v = m.GetVerdict()
		}
	}
	if err := <-sent; err != nil {
		return nil, err
	}
	if v == nil {
		return nil, errors.New("the recorder sent no verdict")
	}
	return v, nil
}

func sendLog(stream recorderv1.RecorderService_AnalyzeLogClient, head *recorderv1.LogHeader, log []logRow) error {
	send := func(m *recorderv1.AnalyzeLogRequest) error {
		if err := stream.Send(m); err != nil && !errors.Is(err, io.EOF) {
			return err // the end of the stream has its reason in what is received
		}
		return nil
	}
	if err := send(&recorderv1.AnalyzeLogRequest{Frame: &recorderv1.AnalyzeLogRequest_Header{Header: head}}); err != nil {
		return err
	}
	for len(log) > 0 {
		var rows []*recorderv1.LogRow
		for size := 0; len(rows) < len(log) && size < 1<<20; {
			r := log[len(rows)]
			rows, size = append(rows, &recorderv1.LogRow{Line: r.Line, Json: r.JSON}), size+len(r.JSON)+16
		}
		log = log[len(rows):]
		if err := send(&recorderv1.AnalyzeLogRequest{Frame: &recorderv1.AnalyzeLogRequest_Rows{Rows: &recorderv1.LogRows{Rows: rows}}}); err != nil {
			return err
		}
	}
	return stream.CloseSend()
}

var stepKeys = []string{"step", "global_step", "progress/step", "train_step"}

// series reads the two rewards of the newest attempt: where the step goes back, the log directory was used again.
func series(log []logRow, roles *recorderv1.LogRoles) (paid, heldout []float64) {
	last := math.Inf(-1)
	for _, r := range log {
		values := numbers(r.JSON)
		for _, k := range stepKeys {
			if step, ok := values[k]; ok {
				if step < last {
					paid, heldout = nil, nil
				}
				last = step
				break
			}
		}
		if v, ok := values[roles.GetProxy()]; ok {
			paid = append(paid, v)
		}
		if v, ok := values[roles.GetHeldout()]; ok {
			heldout = append(heldout, v)
		}
	}
	return paid, heldout
}

// numbers gives the values of a row that are numbers, NaN and infinities included; wrappers are opened.
func numbers(row []byte) map[string]float64 {
	out := map[string]float64{}
	row, _ = enginelog.QuoteNonFinite(row)
	members, err := strictjson.Object(row, strictjson.Limits{Bytes: enginelog.MaxRow})
	if err != nil {
		return out // the recorder counts it as a problem
	}
	for _, m := range members {
		if (m.Key == "data" || m.Key == "logs") && len(m.Value) > 0 && m.Value[0] == '{' {
			for k, v := range numbers(m.Value) {
				out[k] = v
			}
			continue
		}
		var x float64
		if string(m.Value) == "null" {
			continue
		}
		if json.Unmarshal(m.Value, &x) == nil {
			out[m.Key] = x
			continue
		}
		switch strings.Trim(string(m.Value), `"`) {
		case "NaN":
			out[m.Key] = math.NaN()
		case "Infinity":
			out[m.Key] = math.Inf(1)
		case "-Infinity":
			out[m.Key] = math.Inf(-1)
		}
	}
	return out
}
