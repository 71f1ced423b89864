package passport

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/mod/sumdb/note"
)

func stateOf(t *testing.T, r Result, name string) Check {
	t.Helper()
	for _, c := range r.Checks {
		if c.Name == name {
			return c
		}
	}
	return Check{Name: name, State: "not looked at"}
}

func TestAPassportHolds(t *testing.T) {
	k := key(t, "a")
	_, vkey := logKeys(t)
	r := Verify(Input{Bundle: sign(t, k, statement(t, k)), Keys: []*ecdsa.PublicKey{nil, key(t, "b").Public(), k.Public()},
		Model: model(), BOM: bom, LogKeys: []string{vkey}})
	if r.Overall != Holds || r.Statement == nil || len(r.Checks) != 7 {
		t.Errorf("%+v", r)
	}
	for _, c := range r.Checks {
		if c.State != Holds {
			t.Errorf("%+v", c)
		}
	}
}

// What was not given is unchecked, and unchecked is never a pass. The ledger is optional: it is shown and claims nothing.
func TestPartialInputsAreUnchecked(t *testing.T) {
	k := key(t, "a")
	full := Input{Bundle: sign(t, k, statement(t, k)), Keys: []*ecdsa.PublicKey{k.Public()}, Model: model(), BOM: bom}
	for _, c := range []struct {
		name, check string
		change      func(*Input)
		overall     State
	}{
		{"no key", "signature", func(i *Input) { i.Keys = nil }, Unchecked},
		{"no model", "subject_files", func(i *Input) { i.Model = nil }, Unchecked},
		{"no BOM", "bom", func(i *Input) { i.BOM = nil }, Unchecked},
		{"no log key", "ledger", func(*Input) {}, Holds},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := full
			c.change(&in)
			r := Verify(in)
			if got := stateOf(t, r, c.check); got.State != Unchecked || r.Overall != c.overall {
				t.Errorf("%+v, overall %s", got, r.Overall)
			}
			if (r.Statement == nil) != (c.check == "signature") || (r.Payload == nil) != (c.check == "signature") {
				t.Error("a statement is given exactly when the signature holds")
			}
		})
	}
}

// Each row signs another statement than the truth; the signature holds, and one check says no.
func TestASignedLieFails(t *testing.T) {
	k := key(t, "a")
	signer, vkey := logKeys(t)
	for _, c := range []struct {
		name, check string
		change      func(*Statement)
	}{
		{"other algorithm", "issuance", func(s *Statement) { s.Predicate.Issuance.Algorithm = "hmac-sha256" }},
		{"other key id", "issuance", func(s *Statement) { s.Predicate.Issuance.KeyID = strings.Repeat("0", 64) }},
		{"no time", "issuance", func(s *Statement) { s.Predicate.Issuance.SignedAt = "yesterday" }},
		{"time of another zone", "issuance", func(s *Statement) { s.Predicate.Issuance.SignedAt = "2026-01-02T03:04:05+02:00" }},
		{"root of other files", "subject_files", func(s *Statement) { s.Subject[0].Digest["sha256"] = strings.Repeat("0", 64) }},
		{"dirHash of other names", "subject_files", func(s *Statement) { s.Subject[0].Digest["dirHash"] = strings.Repeat("0", 64) }},
		{"other BOM", "bom", func(s *Statement) { s.Predicate.BOM.Digest["sha256"] = strings.Repeat("0", 64) }},
		{"unknown state", "payload_form", func(s *Statement) { s.Predicate.RunState = "done" }},
		{"size is not the note's", "ledger", func(s *Statement) { edit(s, func(l *LedgerLog) { l.Size = "813" }) }},
		{"root is not the note's", "ledger", func(s *Statement) { edit(s, func(l *LedgerLog) { l.Root = strings.Repeat("0", 64) }) }},
		{"origin is not the note's", "ledger", func(s *Statement) { edit(s, func(l *LedgerLog) { l.Origin = "other" }) }},
		{"no origin", "ledger", func(s *Statement) { edit(s, func(l *LedgerLog) { l.Origin = "" }) }},
		{"note without signature", "ledger", func(s *Statement) {
			edit(s, func(l *LedgerLog) { l.Note, _, _ = strings.Cut(l.Note, "—") })
		}},
		{"note with more lines", "ledger", func(s *Statement) {
			edit(s, func(l *LedgerLog) {
				text, _, _ := strings.Cut(l.Note, "\n\n")
				b, err := note.Sign(&note.Note{Text: text + "\nextension\n"}, signer)
				if err != nil {
					t.Fatal(err)
				}
				l.Note = string(b)
			})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := statement(t, k)
			c.change(&s)
			r := Verify(Input{Bundle: sign(t, k, s), Keys: []*ecdsa.PublicKey{k.Public()}, Model: model(), BOM: bom, LogKeys: []string{vkey}})
			if got := stateOf(t, r, c.check); got.State != Fails || got.Detail == "" || r.Overall != Fails {
				t.Errorf("%+v, overall %s", got, r.Overall)
			}
			if stateOf(t, r, "signature").State != Holds {
				t.Error("the signature is good, and the failure is not its")
			}
		})
	}
}

func edit(s *Statement, f func(*LedgerLog)) {
	l := s.Predicate.Ledger["events"]
	f(&l)
	s.Predicate.Ledger["events"] = l
}

func TestAnotherModelFails(t *testing.T) {
	k := key(t, "a")
	bundle := sign(t, k, statement(t, k))
	for _, c := range []struct {
		name, says string
		change     func(fstest.MapFS)
	}{
		{"added", "added.bin is in the folder", func(m fstest.MapFS) { m["added.bin"] = &fstest.MapFile{} }},
		{"added at the end", "zz is in the folder", func(m fstest.MapFS) { m["zz"] = &fstest.MapFile{} }},
		{"removed", "config.json is in the passport", func(m fstest.MapFS) { delete(m, "config.json") }},
		{"the last removed", "vocabulary.txt is in the passport", func(m fstest.MapFS) { delete(m, "tokenizer/vocabulary.txt") }},
		{"changed", "config.json has other bytes", func(m fstest.MapFS) { m["config.json"].Data = []byte(`{"a":2}`) }},
		{"cut to nothing", "model.safetensors has other bytes", func(m fstest.MapFS) { m["model.safetensors"].Data = nil }},
		{"renamed in case only", "Config.json is in the folder", func(m fstest.MapFS) { m["Config.json"] = m["config.json"]; delete(m, "config.json") }},
		{"two swapped", "has other bytes", func(m fstest.MapFS) {
			m["config.json"].Data, m["tokenizer.json"].Data = m["tokenizer.json"].Data, m["config.json"].Data
		}},
		{"a link", "no regular file", func(m fstest.MapFS) { m["l"] = &fstest.MapFile{Mode: fs.ModeSymlink} }},
		{"emptied", "no files", func(m fstest.MapFS) { clear(m) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := model()
			c.change(m)
			r := Verify(Input{Bundle: bundle, Keys: []*ecdsa.PublicKey{k.Public()}, Model: m, BOM: bom})
			if got := stateOf(t, r, "subject_files"); got.State != Fails || !strings.Contains(got.Detail, c.says) || r.Overall != Fails {
				t.Errorf("%+v, overall %s; want %q", got, r.Overall, c.says)
			}
		})
	}
}

func TestAChangedBundleFails(t *testing.T) {
	k, other := key(t, "a"), key(t, "b")
	good := sign(t, k, statement(t, k))
	change := func(f func(*Bundle)) []byte {
		b, err := DecodeBundle(good)
		if err != nil {
			t.Fatal(err)
		}
		f(&b)
		out, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	blob, err := SignMessage(k, []byte("m"))
	if err != nil {
		t.Fatal(err)
	}
	ofOther := sign(t, other, statement(t, other))
	for _, c := range []struct {
		name, check string
		bundle      []byte
	}{
		{"signed by another key", "signature", ofOther},
		{"another hint", "signature", change(func(b *Bundle) { b.VerificationMaterial.PublicKey.Hint = strings.Repeat("0", 64) })},
		{"no hint", "signature", change(func(b *Bundle) { b.VerificationMaterial.PublicKey.Hint = "" })},
		{"another payload", "signature", change(func(b *Bundle) {
			b.DSSEEnvelope.Payload = base64.StdEncoding.EncodeToString([]byte(`{"_type":"https://in-toto.io/Statement/v1"}`))
		})},
		{"another payload type", "bundle_form", change(func(b *Bundle) { b.DSSEEnvelope.PayloadType = "application/json" })},
		{"another signature", "signature", change(func(b *Bundle) { b.DSSEEnvelope.Signatures[0].Sig = "MAYCAQECAQE=" })},
		{"a signature that is no base64", "bundle_form", change(func(b *Bundle) { b.DSSEEnvelope.Signatures[0].Sig = "?" })},
		{"a signature of a file", "bundle_form", blob},
		{"unknown field", "bundle_form", bytes.Replace(good, []byte(`{"mediaType"`), []byte(`{"x":1,"mediaType"`), 1)},
		{"no bundle", "bundle_form", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Verify(Input{Bundle: c.bundle, Keys: []*ecdsa.PublicKey{k.Public()}, Model: model(), BOM: bom})
			if got := stateOf(t, r, c.check); got.State != Fails || r.Overall != Fails {
				t.Errorf("%+v, overall %s", got, r.Overall)
			}
			if r.Statement != nil || r.Payload != nil {
				t.Error("bytes that nobody vouches for were given out")
			}
		})
	}
}

func TestOtherInputsFail(t *testing.T) {
	k := key(t, "a")
	_, foreign, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{7}, 64)), "log")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, check string
		change      func(*Input)
	}{
		{"another BOM", "bom", func(i *Input) { i.BOM = []byte(`{"schema":"provenir.bom/v2"}`) }},
		{"a BOM with a space", "bom", func(i *Input) { i.BOM = append([]byte(" "), bom...) }},
		{"an empty BOM", "bom", func(i *Input) { i.BOM = []byte{} }},
		{"another log's key", "ledger", func(i *Input) { i.LogKeys = []string{foreign} }},
		{"no log key at all", "ledger", func(i *Input) { i.LogKeys = []string{"x"} }},
	} {
		in := Input{Bundle: sign(t, k, statement(t, k)), Keys: []*ecdsa.PublicKey{k.Public()}, Model: model(), BOM: bom}
		c.change(&in)
		if r := Verify(in); stateOf(t, r, c.check).State != Fails || r.Overall != Fails {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
}

// Any one flipped bit of a bundle must be noticed: by its form, or by the signature.
func TestEveryFlippedByteIsNoticed(t *testing.T) {
	k := key(t, "a")
	good := sign(t, k, statement(t, k))
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if r := Verify(Input{Bundle: bad, Keys: []*ecdsa.PublicKey{k.Public()}, Model: model(), BOM: bom}); r.Overall != Fails {
			t.Fatalf("byte %d, %q for %q: %s", i, bad[i], good[i], r.Overall)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	k := key(b, "a")
	in := Input{Bundle: sign(b, k, statement(b, k)), Keys: []*ecdsa.PublicKey{k.Public()}, BOM: bom}
	for b.Loop() {
		if Verify(in).Overall != Unchecked {
			b.Fatal("the model was not given")
		}
	}
}
