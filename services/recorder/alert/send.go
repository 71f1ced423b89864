package alert

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// failure is an answer other than success. It never names the address, which may be a secret.
type failure struct {
	what  string
	final bool          // the message itself is refused: another try gets the same answer
	after time.Duration // what the sink asked for
}

func (f *failure) Error() string { return f.what }

// final are answers about the message. Others (401, 404, 410, …) are about the sink's settings, which people mend.
var final = []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity}

func (w *worker) send(ctx context.Context, m message) error {
	var req *http.Request
	var err error
	switch w.sink.Kind {
	case "webhook":
		req, err = webhookRequest(ctx, w.sink, m, w.d.Clock.Now())
	case "slack":
		req, err = slackRequest(ctx, w.sink, m)
	default:
		req, err = pagerDutyRequest(ctx, w.sink, m)
	}
	if err != nil {
		return &failure{what: err.Error(), final: true}
	}
	resp, err := w.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) { // its text has the address in it
			err = u.Err
		}
		return &failure{what: err.Error()}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 512))
	if err != nil {
		return &failure{what: "read the answer: " + err.Error()}
	}
	if resp.StatusCode/100 == 2 {
		return nil
	}
	f := &failure{what: fmt.Sprintf("answer %d: %s", resp.StatusCode, strings.ToValidUTF8(strings.TrimSpace(string(text)), "?")),
		final: slices.Contains(final, resp.StatusCode)}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		f.after = min(time.Duration(min(s, 1<<20))*time.Second, askedMost)
	}
	return f
}
