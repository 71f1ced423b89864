package alert

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/provenir/provenir/services/recorder/publish"
)

// signingKey reads a secret of Standard Webhooks: whsec_ and 24 to 64 bytes in base64.
func signingKey(s string) ([]byte, error) {
	text, ok := strings.CutPrefix(s, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New("secret_file or secret_env: want whsec_ and the base64 of 24 to 64 random bytes")
	}
	return key, nil
}

// sign is the value of webhook-signature (Standard Webhooks 1.0): HMAC-SHA256 over id.timestamp.body.
func sign(key []byte, id, timestamp string, body []byte) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id + "." + timestamp + "."))
	h.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

type webhookBody struct {
	Type      string `json:"type"` // provenir.anomaly.open, escalate, resolve or digest
	Timestamp string `json:"timestamp"`
	Data      any    `json:"data"`
}

type webhookAlert struct {
	ID       string `json:"id"`
	Tenant   string `json:"tenant"`
	Run      string `json:"run"`
	Incident string `json:"incident"`
	Event    string `json:"event"`
	Kind     string `json:"kind"`
	Severity string `json:"severity"`
	Attempt  uint32 `json:"attempt"`
	Step     uint64 `json:"step"`
	Onset    uint64 `json:"onset_step"`
	Detail   string `json:"detail"`
}

func webhookAlertOf(it item) webhookAlert {
	a := it.anomaly
	return webhookAlert{a.GetUid(), it.tenant, a.GetRun(), a.GetIncident(), eventOf(a), a.GetKind(), publish.SeverityName(a.GetSeverity()),
		a.GetAttempt(), a.GetStep(), a.GetOnsetStep(), a.GetDetail()}
}

func webhookRequest(ctx context.Context, s *Sink, m message, now time.Time) (*http.Request, error) {
	key, err := signingKey(s.secret)
	if err != nil {
		return nil, err
	}
	body := webhookBody{Type: "provenir.anomaly.digest", Timestamp: now.UTC().Format(time.RFC3339Nano)}
	if m.digest() {
		var all []webhookAlert
		for _, it := range m.items {
			all = append(all, webhookAlertOf(it))
		}
		body.Data = map[string]any{"severity": publish.SeverityName(m.severity()), "alerts": all}
	} else {
		body.Type, body.Data = "provenir.anomaly."+eventOf(m.items[0].anomaly), webhookAlertOf(m.items[0])
	}
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := post(ctx, s.URL, b)
	if err != nil {
		return nil, err
	}
	at := strconv.FormatInt(now.Unix(), 10)
	req.Header.Set("webhook-id", m.id)
	req.Header.Set("webhook-timestamp", at)
	req.Header.Set("webhook-signature", sign(key, m.id, at, b))
	return req, nil
}

func post(ctx context.Context, url string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the address of the sink is no URL") // the error would name it
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "provenir")
	return req, nil
}
