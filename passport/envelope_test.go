package passport

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// Vectors of the DSSE specification (secure-systems-lab/dsse, protocol.md).
func TestPAE(t *testing.T) {
	for _, c := range []struct{ name, typ, body, want string }{
		{"the specification's", "http://example.com/HelloWorld", "hello world", "DSSEv1 29 http://example.com/HelloWorld 11 hello world"},
		{"plain text", "text/plain", "5", "DSSEv1 10 text/plain 1 5"},
		{"nothing", "", "", "DSSEv1 0  0 "},
		{"bytes, not letters", "é", "日", "DSSEv1 2 é 3 日"},
	} {
		if got := string(PAE(c.typ, []byte(c.body))); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestOpenReadsEveryBase64OfDSSE(t *testing.T) {
	raw := []byte{0xfb, 0xff, 0xfe, 1}
	for _, c := range []struct {
		name, payload string
		ok            bool
	}{
		{"standard", base64.StdEncoding.EncodeToString(raw), true}, {"standard, no padding", base64.RawStdEncoding.EncodeToString(raw), true},
		{"for URLs", base64.URLEncoding.EncodeToString(raw), true}, {"for URLs, no padding", base64.RawURLEncoding.EncodeToString(raw), true},
		{"both alphabets", "-/8=", false}, {"line end", "+//+\nAQ==", false}, {"too much padding", "+//+AQ====", false},
		{"too little padding", "+//+AQ=", false}, {"bits behind the end", "+//+AR==", false}, {"no base64", "*", false},
	} {
		got, _, err := Envelope{Payload: c.payload, Signatures: []Signature{{Sig: "AA=="}}}.Open()
		if (err == nil) != c.ok || c.ok && string(got) != string(raw) {
			t.Errorf("%s: %x, %v", c.name, got, err)
		}
		if _, _, err := (Envelope{Payload: "AA==", Signatures: []Signature{{Sig: c.payload}}}).Open(); (err == nil) != c.ok {
			t.Errorf("%s as a signature: %v", c.name, err)
		}
	}
	if _, _, err := (Envelope{}).Open(); !errors.Is(err, ErrBundle) {
		t.Errorf("no signature: %v", err)
	}
}

const material = `"verificationMaterial":{"publicKey":{"hint":"h"}}`
const signed = `"dsseEnvelope":{"payload":"","payloadType":"t","signatures":[{"sig":""}]}`

func TestDecodeBundle(t *testing.T) {
	media := `"mediaType":"` + BundleType + `"`
	for _, c := range []struct {
		name, in string
		ok       bool
	}{
		{"envelope", `{` + media + `,` + material + `,` + signed + `}`, true},
		{"message", `{` + media + `,` + material + `,"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":""},"signature":""}}`, true},
		{"an older media type", `{"mediaType":"application/vnd.dev.sigstore.bundle+json;version=0.2",` + material + `,` + signed + `}`, true},
		{"empty lists of Sigstore", `{` + media + `,"verificationMaterial":{"publicKey":{"hint":"h"},"tlogEntries":[]},` + signed + `}`, true},
		{"a keyid, which is not used", `{` + media + `,` + material + `,` + strings.Replace(signed, `{"sig":""}`, `{"sig":"","keyid":"x"}`, 1) + `}`, true},
		{"no signature", `{` + media + `,` + material + `,"dsseEnvelope":{"payload":"","payloadType":"t","signatures":[]}}`, false},
		{"two signatures", `{` + media + `,` + material + `,"dsseEnvelope":{"payload":"","payloadType":"t","signatures":[{"sig":""},{"sig":""}]}}`, false},
		{"neither", `{` + media + `,` + material + `}`, false},
		{"both", `{` + media + `,` + material + `,` + signed + `,"messageSignature":{"messageDigest":{},"signature":""}}`, false},
		{"another media type", `{"mediaType":"application/json",` + material + `,` + signed + `}`, false},
		{"a later version", `{"mediaType":"application/vnd.dev.sigstore.bundle.v9+json",` + material + `,` + signed + `}`, false},
		{"key and certificate", `{` + media + `,"verificationMaterial":{"publicKey":{"hint":"h"},"certificate":{"rawBytes":""}},` + signed + `}`, false},
		{"unknown field", `{` + media + `,` + material + `,` + signed + `,"more":1}`, false},
		{"duplicate field", `{` + media + `,` + media + `,` + material + `,` + signed + `}`, false},
		{"a payload in another case", `{` + media + `,` + material + `,` + strings.Replace(signed, `"payload":""`, `"payload":"","Payload":"AA=="`, 1) + `}`, false},
		{"a field with the Kelvin sign", `{` + media + `,` + strings.Replace(material, "publicKey", "public\u212aey", 1) + `,` + signed + `}`, false},
		{"no object", `[]`, false}, {"nothing", ``, false}, {"trailing text", `{` + media + `,` + material + `,` + signed + `}x`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := DecodeBundle([]byte(c.in))
			if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrBundle) {
				t.Error(err)
			}
		})
	}
}

func FuzzDecodeBundle(f *testing.F) {
	k := key(f, "fuzz")
	f.Add(sign(f, k, statement(f, k)))
	f.Add([]byte(`{"mediaType":"` + BundleType + `",` + material + `,` + signed + `}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := DecodeBundle(b)
		if err != nil {
			return
		}
		if got.DSSEEnvelope != nil {
			_, _, _ = got.DSSEEnvelope.Open() // must not panic
		}
		again, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeBundle(again); err != nil {
			t.Errorf("what was read from %q is refused when written: %v", b, err)
		}
	})
}
