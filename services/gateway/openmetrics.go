package gateway

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// maxScrape bounds what is held of one run: its newest values, at most 4,096 names an attempt.
const maxScrape = 16 << 20

// openMetrics answers a scraper of one run. The text is gathered first: a scraper that got half of it and a 200 would take
// what is missing for metrics that have gone.
func openMetrics(recorder recorderv1.RecorderServiceClient, mux *runtime.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		media, text, err := scrape(r, recorder)
		if err != nil {
			failed(r.Context(), mux, nil, w, r, err)
			return
		}
		w.Header().Set("Content-Type", media)
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		_, _ = w.Write(text) // the client may have gone
	})
}

func scrape(r *http.Request, recorder recorderv1.RecorderServiceClient) (media string, text []byte, err error) {
	stream, err := recorder.ExportRun(r.Context(), &recorderv1.ExportRunRequest{Run: r.PathValue("run"), Format: "openmetrics"})
	if err != nil {
		return "", nil, err
	}
	var out bytes.Buffer
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return media, out.Bytes(), nil
		}
		if err != nil {
			return "", nil, err
		}
		if media == "" {
			media = m.GetMediaType()
		}
		if out.Len()+len(m.GetChunk()) > maxScrape {
			return "", nil, rpc.Errorf(codes.ResourceExhausted, corev1.ErrorReason_ERROR_REASON_FRAME_TOO_LARGE,
				"the run's newest values have more than %d bytes; read its series with `provenir run export`", maxScrape)
		}
		out.Write(m.GetChunk())
	}
}
