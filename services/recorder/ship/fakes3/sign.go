package fakes3

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// signed checks AWS Signature Version 4 as its description has it (canonical request, string to sign, derived key), and
// that the hash it covers is the body's.
func (s *Store) signed(r *http.Request, body []byte) bool {
	scope, headers, signature, ok := authorization(r.Header.Get("Authorization"), s.Key)
	if !ok {
		return false
	}
	sum := sha256.Sum256(body)
	if r.Header.Get("X-Amz-Content-Sha256") != hex.EncodeToString(sum[:]) {
		return false
	}
	if !slices.Contains(headers, "host") || !slices.Contains(headers, "x-amz-date") {
		return false
	}
	var canonical strings.Builder
	canonical.WriteString(r.Method + "\n" + (&url.URL{Path: r.URL.Path}).EscapedPath() + "\n" + r.URL.Query().Encode() + "\n")
	for _, h := range headers {
		v := strings.Join(r.Header.Values(h), ",")
		switch h {
		case "host":
			v = r.Host
		case "content-length":
			v = r.Header.Get("Content-Length")
		}
		canonical.WriteString(h + ":" + strings.TrimSpace(v) + "\n")
	}
	canonical.WriteString("\n" + strings.Join(headers, ";") + "\n" + r.Header.Get("X-Amz-Content-Sha256"))
	hash := sha256.Sum256([]byte(canonical.String()))
	toSign := "AWS4-HMAC-SHA256\n" + r.Header.Get("X-Amz-Date") + "\n" + strings.Join(scope, "/") + "\n" + hex.EncodeToString(hash[:])
	key := []byte("AWS4" + s.Secret)
	for _, part := range scope {
		key = mac(key, part)
	}
	return hmac.Equal([]byte(signature), []byte(hex.EncodeToString(mac(key, toSign))))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// authorization takes the header apart: date, region, service and "aws4_request", the signed headers, the signature.
func authorization(header, key string) (scope, headers []string, signature string, ok bool) {
	rest, ok := strings.CutPrefix(header, "AWS4-HMAC-SHA256 ")
	if !ok {
		return nil, nil, "", false
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[k] = v
	}
	credential := strings.Split(fields["Credential"], "/")
	if len(credential) != 5 || credential[0] != key || credential[3] != "s3" || credential[4] != "aws4_request" {
		return nil, nil, "", false
	}
	return credential[1:], strings.Split(fields["SignedHeaders"], ";"), fields["Signature"], true
}
