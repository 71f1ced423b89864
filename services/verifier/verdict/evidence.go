package verdict

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"unicode/utf8"
)

// Evidence is the document behind a verdict, for people and for replay: what was judged, how it was read, what was
// found. Nothing in it differs on a repeat: no clock, no host, no usage. Its JSON is canonical (RFC 8785), so equal
// evidence is equal bytes. The input is named by its digest: that of the rollout where there is one, which the ledger has,
// else those of response and row.
func Evidence(v *Verdict, c *Candidate, verifier, rollout []byte) []byte {
	input := make([]byte, 0, 160)
	if len(rollout) > 0 {
		input = appendKey(input, `{"rollout":`, hex.EncodeToString(rollout))
	} else {
		input = appendKey(input, `{"response":`, hex.EncodeToString(sum(c.Response)))
		input = appendKey(input, `,"row":`, hex.EncodeToString(rowDigest(c.Row)))
	}
	b := describe(make([]byte, 0, 512), v, append(input, '}'))
	b = appendKey(b, `,"verifier_digest":`, hex.EncodeToString(verifier))
	return append(b, '}')
}

// describe writes a verdict, its keys in order and its object not closed. A member of a composite has no input of its own.
func describe(b []byte, v *Verdict, input []byte) []byte {
	b = append(b, '{')
	if u, ok := v.Unscored(); ok {
		b = append(appendKey(b, `"detail":`, valid(u.Detail)), ',')
	}
	b = appendKey(b, `"extracted":`, valid(v.Extracted))
	b = append(b, `,"findings":[`...)
	for i, f := range v.Findings {
		b = appendKey(append(b, comma(i)...), `{"detail":`, valid(f.Detail))
		b = appendKey(b, `,"kind":`, f.Kind)
		b = append(appendKey(b, `,"severity":`, f.Severity.String()), '}')
	}
	b = append(b, ']')
	if input != nil {
		b = append(append(b, `,"input":`...), input...)
	}
	if len(v.Members) > 0 {
		b = append(b, `,"members":[`...)
		for i := range v.Members {
			b = append(describe(append(b, comma(i)...), &v.Members[i], nil), '}')
		}
		b = append(b, ']')
	}
	if s, ok := v.Scored(); ok {
		b = strconv.AppendBool(append(b, `,"passed":`...), s.Passed)
		b = appendKey(b, `,"reason":`, s.Reason)
		b = appendNumber(append(b, `,"reward":`...), s.Reward)
		b = append(b, `,"status":"scored"`...)
	} else {
		u, _ := v.Unscored()
		b = appendKey(b, `,"reason":`, u.Reason.String())
		b = append(b, `,"status":"unscored"`...)
	}
	if len(v.Tests) > 0 {
		b = append(b, `,"tests":[`...)
		for i, t := range v.Tests {
			b = appendKey(append(b, comma(i)...), `{"detail":`, valid(t.Detail))
			b = appendKey(b, `,"name":`, valid(t.Name))
			b = append(appendKey(b, `,"outcome":`, t.Outcome), '}')
		}
		b = append(b, ']')
	}
	return appendKey(b, `,"verifier":`, v.Verifier)
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

// rowDigest is over the columns in their order; lengths keep two columns from reading like others.
func rowDigest(r Row) []byte {
	h := sha256.New()
	for _, f := range r {
		h.Write(sum(f.Key))
		h.Write(sum(string(f.JSON)))
	}
	return h.Sum(nil)
}

func sum(s string) []byte {
	d := sha256.Sum256([]byte(s))
	return d[:]
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
