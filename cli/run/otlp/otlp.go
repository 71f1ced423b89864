// Package otlp sends a run to an OpenTelemetry collector over OTLP/HTTP: its newest values as gauges, its steps and incidents
// as log records. A gauge has one value a moment, and a hundred steps may become durable in one; the series of a run are
// the records, where the step is an attribute. The receiver knows no repeats: sent twice, a run is there twice, with equal
// rl.run.id, rl.attempt and rl.step.
package otlp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/provenir/provenir/cli/run/exported"
)

// Config is the collector and what is known of the run. Headers and certificates come from the variables that every OTLP
// exporter reads (OTEL_EXPORTER_OTLP_HEADERS, …).
type Config struct {
	URL       string
	Run       string
	Algorithm string // empty where nobody knows it
	Version   string // ours
}

// Done is what a call brought.
type Done struct {
	Steps     uint64 `json:"steps"`
	Values    uint64 `json:"values"`
	Incidents uint64 `json:"incidents"`
	Gauges    uint64 `json:"gauges"`
	Undated   uint64 `json:"undated"` // steps without a time
}

const batch = 256 // records a request

// Send sends a run, given as the recorder's JSON lines.
func Send(ctx context.Context, cfg Config, jsonl io.Reader) (*Done, error) {
	base, err := base(cfg.URL)
	if err != nil {
		return nil, err
	}
	logs, err := otlploghttp.New(ctx, otlploghttp.WithEndpointURL(base+"/v1/logs"),
		otlploghttp.WithRetry(otlploghttp.RetryConfig{Enabled: true, InitialInterval: time.Second, MaxInterval: 5 * time.Second, MaxElapsedTime: 20 * time.Second}))
	if err != nil {
		return nil, err
	}
	metrics, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(base+"/v1/metrics"),
		otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{Enabled: true, InitialInterval: time.Second, MaxInterval: 5 * time.Second, MaxElapsedTime: 20 * time.Second}))
	if err != nil {
		return nil, err
	}
	about := []attribute.KeyValue{attribute.String("service.name", "provenir"), attribute.String("service.version", cfg.Version),
		System.String("provenir"), RunID.String(cfg.Run)}
	if cfg.Algorithm != "" {
		about = append(about, Algorithm.String(cfg.Algorithm))
	}
	s := &sending{gathered: gathered{to: logs}, newest: map[series]gauge{}}
	res := resource.NewWithAttributes(SchemaURL, about...)
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(&s.gathered), sdklog.WithResource(res),
		sdklog.WithAttributeCountLimit(-1), sdklog.WithAttributeValueLengthLimit(-1))
	s.logger = provider.Logger("provenir", log.WithInstrumentationVersion(cfg.Version), log.WithSchemaURL(SchemaURL))
	err = exported.Each(jsonl, func(l exported.Line) error { return s.take(ctx, l) })
	if err == nil {
		err = s.endStep(ctx)
	}
	if err == nil {
		err = s.gathered.flush(ctx)
	}
	if err == nil {
		err = metrics.Export(ctx, s.gauges(res, cfg.Version))
	}
	return &s.done, errors.Join(err, logs.Shutdown(ctx), metrics.Shutdown(ctx))
}

func base(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" {
		return "", errors.New("--to: want the collector's OTLP/HTTP address, as http://host:4318")
	}
	if u.User != nil {
		return "", errors.New("--to: no password in the address; set OTEL_EXPORTER_OTLP_HEADERS")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// gathered holds records until there are enough for a request. The SDK's own batches drop what comes faster than the
// network takes it; here the export waits.
type gathered struct {
	to      sdklog.Exporter
	records []sdklog.Record
}

func (g *gathered) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }

func (g *gathered) OnEmit(_ context.Context, r *sdklog.Record) error {
	g.records = append(g.records, r.Clone())
	return nil
}

func (g *gathered) Shutdown(context.Context) error   { return nil }
func (g *gathered) ForceFlush(context.Context) error { return nil }

func (g *gathered) flush(ctx context.Context) error {
	if len(g.records) == 0 {
		return nil
	}
	err := g.to.Export(ctx, g.records)
	g.records = g.records[:0]
	if err != nil {
		return fmt.Errorf("send records: %w", err)
	}
	return nil
}
