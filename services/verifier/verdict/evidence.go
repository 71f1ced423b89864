package verdict

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"unicode/utf8"
)

// Evidence is the document behind a verdict, for people and for replay. Nothing in it differs on a repeat: no clock, no
// host, no usage. Its JSON is canonical: fixed key order, no blanks, numbers in shortest form.
func Evidence(v *Verdict, c *Candidate, digest [sha256.Size]byte) ([]byte, error) {
	h := sha256.New()
	for _, f := range c.Row {
		row, err := json.Marshal([]string{f.Key, hex.EncodeToString(sum(f.JSON))})
		if err != nil {
			return nil, err
		}
		h.Write(row)
	}
	doc := evidence{
		Verifier: hex.EncodeToString(digest[:]), Response: hex.EncodeToString(sum([]byte(c.Response))),
		Row: hex.EncodeToString(h.Sum(nil)), Verdict: describe(v),
	}
	return json.Marshal(doc)
}

type evidence struct {
	Verifier string    `json:"verifier_digest"`
	Response string    `json:"response_sha256"`
	Row      string    `json:"row_sha256"`
	Verdict  described `json:"verdict"`
}

type described struct {
	Verifier  string      `json:"verifier"`
	Status    string      `json:"status"`
	Reason    string      `json:"reason"`
	Detail    string      `json:"detail,omitempty"`
	Passed    *bool       `json:"passed,omitempty"`
	Reward    *float64    `json:"reward,omitempty"`
	Extracted string      `json:"extracted,omitempty"`
	Findings  [][3]string `json:"findings,omitempty"`
	Members   []described `json:"members,omitempty"`
}

func describe(v *Verdict) described {
	d := described{Verifier: v.Verifier, Status: "unscored", Extracted: valid(v.Extracted)}
	if s, ok := v.Scored(); ok {
		d.Status, d.Reason, d.Passed, d.Reward = "scored", s.Reason, &s.Passed, &s.Reward
	} else if u, ok := v.Unscored(); ok {
		d.Reason, d.Detail = u.Reason.String(), valid(u.Detail)
	}
	for _, f := range v.Findings {
		d.Findings = append(d.Findings, [3]string{f.Kind, f.Severity.String(), valid(f.Detail)})
	}
	for i := range v.Members {
		d.Members = append(d.Members, describe(&v.Members[i]))
	}
	return d
}

// valid shows bytes that are not UTF-8 as escapes: two different answers must not look alike in evidence.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	out := make([]byte, 0, len(s)+16)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			out = append(out, `\x`...)
			out = append(out, hex.EncodeToString([]byte{s[i]})...)
		} else {
			out = append(out, s[i:i+n]...)
		}
		i += n
	}
	return string(out)
}

// Printable is a text as a verdict shows it: escaped where it is not UTF-8, and capped.
func Printable(s string) string { return Cap(valid(s)) }

func sum(b []byte) []byte {
	s := sha256.Sum256(b)
	return s[:]
}
