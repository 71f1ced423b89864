package rewardhttp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"google.golang.org/grpc/metadata"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// rewardRequest is OpenRLHF's: query is the prompt with the answer behind it.
type rewardRequest struct {
	Query   []string          `json:"query"`
	Prompts []string          `json:"prompts"`
	Labels  []json.RawMessage `json:"labels"`
}

type rewardResponse struct {
	Rewards []float64            `json:"rewards"`
	Scores  []float64            `json:"scores"` // 1 passed, 0 not
	Logs    map[string][]float64 `json:"extra_logs"`
}

// most rows of one call, and how often a call is put off before its rows are named as what cannot be judged.
const (
	mostRows   = 4096
	mostPutOff = 3
)

// unscoredRow names a row without a reward. There is no place for it in OpenRLHF's answer, so it is an error.
type unscoredRow struct {
	Row    int    `json:"row"`
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

// getReward judges all rows, or none: while what is missing may come, the call is to be repeated; after that, or where it
// never will, the answer names the rows.
func (s *Server) getReward(_ http.ResponseWriter, r *http.Request, body []byte) (any, error) {
	spec, err := specOf(r)
	if err != nil {
		return nil, err
	}
	md, _ := metadata.FromOutgoingContext(r.Context())
	key := digest(strings.Join(md.Get("authorization"), " "), spec.GetName(), string(body))
	if known := s.seen.get(key); known != nil {
		return json.RawMessage(known), nil
	}
	var q rewardRequest
	if err := read(body, &q); err != nil {
		return nil, err
	}
	rows, bad := q.rows()
	if bad != nil {
		return nil, bad
	}
	verdicts, err := s.batch(r.Context(), spec, rows)
	if err != nil {
		return nil, err
	}
	out, unscored, retry := rewards(verdicts)
	switch {
	case len(unscored) > 0 && retry && s.seen.putOff(key) <= mostPutOff:
		return nil, &statusError{http.StatusServiceUnavailable, map[string]any{"detail": "some rows could not be judged yet; repeat the call", "rows": unscored}, "2"}
	case len(unscored) > 0:
		return nil, &statusError{http.StatusUnprocessableEntity, map[string]any{"detail": "some rows cannot be judged; leave them out", "rows": unscored}, ""}
	}
	b, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	s.seen.put(key, b)
	return json.RawMessage(b), nil
}

// rows cuts the prompt from each query: a reference that stands in the prompt must not be found in the answer.
func (q *rewardRequest) rows() ([]*verifierv1.Candidate, error) {
	n := len(q.Query)
	if n == 0 || n > mostRows || len(q.Prompts) != n || len(q.Labels) != n {
		return nil, invalid("query", "query, prompts and labels have one length, 1 to %d; here %d, %d and %d", mostRows, n, len(q.Prompts), len(q.Labels))
	}
	out := make([]*verifierv1.Candidate, n)
	for i := range out {
		response, ok := strings.CutPrefix(q.Query[i], q.Prompts[i])
		if !ok {
			return nil, &statusError{http.StatusUnprocessableEntity, map[string]any{"detail": "a query begins with its prompt, else the answer cannot be told from it",
				"rows": []unscoredRow{{i, "bad_row", "the query does not begin with the prompt"}}}, ""}
		}
		row, err := json.Marshal(map[string]json.RawMessage{"reference": q.Labels[i]})
		if err != nil {
			return nil, invalid("labels", "label %d: %v", i, err)
		}
		out[i] = &verifierv1.Candidate{RolloutId: fmt.Sprint(i), Response: []byte(response), RowJson: row}
	}
	return out, nil
}

// rewards reads verdicts. retry says that all that is missing may come.
func rewards(all []*corev1.Verdict) (out rewardResponse, unscored []unscoredRow, retry bool) {
	retry = true
	out.Logs = map[string][]float64{}
	for i, v := range all {
		if sc := v.GetScored(); sc != nil {
			passed := 0.0
			if sc.GetPassed() {
				passed = 1
			}
			out.Rewards, out.Scores = append(out.Rewards, sc.GetReward()), append(out.Scores, passed)
			continue
		}
		u := v.GetUnscored()
		unscored = append(unscored, unscoredRow{i, reasonName(u.GetReason()), u.GetDetail()})
		retry = retry && u.GetRetryable()
	}
	out.Logs["passed"] = out.Scores
	return out, unscored, retry
}

func reasonName(r corev1.UnscoredReason) string {
	return strings.ToLower(strings.TrimPrefix(r.String(), "UNSCORED_REASON_"))
}
