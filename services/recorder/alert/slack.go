package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/provenir/provenir/services/recorder/publish"
)

// slackText escapes what Slack reads as markup: a policy's text must not mention a channel.
var slackText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slackLines bounds a digest: a section holds 3,000 characters.
const slackLines = 15

func slackRequest(ctx context.Context, s *Sink, m message) (*http.Request, error) {
	type text struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	type block struct {
		Type string `json:"type"`
		Text *text  `json:"text,omitempty"`
	}
	blocks := []block{{"header", &text{"plain_text", cut(publish.SeverityName(m.severity())+": "+m.title(), 150)}}}
	lines := make([]string, 0, slackLines+1)
	for i, it := range m.items {
		if i == slackLines {
			lines = append(lines, fmt.Sprintf("and %d more", len(m.items)-i))
			break
		}
		lines = append(lines, cut(slackText.Replace(it.summary()), 2800/min(len(m.items), slackLines)))
	}
	blocks = append(blocks, block{"section", &text{"mrkdwn", strings.Join(lines, "\n")}})
	b, err := json.Marshal(map[string]any{"text": cut(slackText.Replace(m.summary()), 3000), "blocks": blocks})
	if err != nil {
		return nil, err
	}
	return post(ctx, s.URL, b)
}

func (m message) title() string {
	if m.digest() {
		return fmt.Sprintf("%d alerts", len(m.items))
	}
	return m.items[0].anomaly.GetKind() + " " + eventOf(m.items[0].anomaly)
}
