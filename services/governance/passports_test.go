package governance

import (
	"bytes"
	"encoding/hex"
	"maps"
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/passport"
)

const (
	holds     = governancev1.CheckState_CHECK_STATE_HOLDS
	fails     = governancev1.CheckState_CHECK_STATE_FAILS
	unchecked = governancev1.CheckState_CHECK_STATE_UNCHECKED
)

func stateOf(resp *governancev1.VerifyPassportResponse, name string) governancev1.CheckState {
	for _, c := range resp.GetChecks() {
		if c.GetName() == name {
			return c.GetState()
		}
	}
	return governancev1.CheckState_CHECK_STATE_UNSPECIFIED
}

func TestVerifyPassport(t *testing.T) {
	r := newRig(t)
	sealed := r.mustSeal()
	model := hex.EncodeToString(r.checkpoint(weights))
	changed := maps.Clone(weights)
	changed["config.json"] = "[]"
	other := hex.EncodeToString(r.checkpoint(changed))
	foreign := newRig(t)
	foreign.mustSeal()
	for _, c := range []struct {
		name    string
		req     *governancev1.VerifyPassportRequest
		overall governancev1.CheckState
		check   string
		state   governancev1.CheckState
	}{
		{"with its model", &governancev1.VerifyPassportRequest{Checkpoint: model}, holds, "bom", holds},
		{"without a model", &governancev1.VerifyPassportRequest{}, unchecked, "subject_files", unchecked},
		{"with another model", &governancev1.VerifyPassportRequest{Checkpoint: other}, fails, "subject_files", fails},
		{"with the key given", &governancev1.VerifyPassportRequest{Checkpoint: model, PublicKeys: [][]byte{r.read(fileSignerPEM)}}, holds, "signature", holds},
		{"with another key", &governancev1.VerifyPassportRequest{Checkpoint: model, PublicKeys: [][]byte{foreign.read(fileSignerPEM)}}, fails, "signature", fails},
		{"of another mesh", &governancev1.VerifyPassportRequest{Bundle: foreign.read(fileBundle)}, fails, "signature", fails},
		{"of another mesh, whose key is given", &governancev1.VerifyPassportRequest{Bundle: foreign.read(fileBundle), Checkpoint: model,
			PublicKeys: [][]byte{foreign.read(fileSignerPEM)}}, unchecked, "bom", unchecked},
		{"the model's signature for a passport", &governancev1.VerifyPassportRequest{Bundle: r.read(fileModelSig)}, fails, "payload_form", fails},
		{"no bundle", &governancev1.VerifyPassportRequest{Bundle: []byte("{}")}, fails, "bundle_form", fails},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.req.Bundle == nil {
				c.req.Bundle = r.read(fileBundle)
			}
			got, err := r.client.VerifyPassport(t.Context(), c.req)
			if err != nil || got.GetOverall() != c.overall || stateOf(got, c.check) != c.state {
				t.Errorf("%v, %v", got, err)
			}
			signed := stateOf(got, "payload_form") == holds
			if (len(got.GetStatement()) > 0) != signed || (len(got.GetFlags()) > 0) != signed {
				t.Error("statement and flags are given exactly when the signature holds and the payload is a statement")
			}
		})
	}
	bundle := r.read(fileBundle)
	for _, bad := range []*governancev1.VerifyPassportRequest{{}, {Bundle: bundle, PublicKeys: [][]byte{[]byte("x")}}, {Bundle: bundle, Checkpoint: "run@last"}} {
		if _, err := r.client.VerifyPassport(t.Context(), bad); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT) {
			t.Errorf("%v", err)
		}
	}
	if sealed.GetKeyId() == "" {
		t.Error("no key is named")
	}
}

// When a revoked key signed is its own claim: unknown is not a pass, and a stolen key's word is nothing.
func TestWhatARevokedKeySigned(t *testing.T) {
	for _, c := range []struct {
		reason string
		want   governancev1.CheckState
	}{{"retired from duty", unchecked}, {"compromised", fails}} {
		r := newRig(t)
		sealed := r.mustSeal()
		req := &governancev1.VerifyPassportRequest{Bundle: r.read(fileBundle), Checkpoint: hex.EncodeToString(r.checkpoint(weights))}
		if got, err := r.client.VerifyPassport(t.Context(), req); err != nil || stateOf(got, "key_status") != holds {
			t.Errorf("%v, %v", got, err)
		}
		if _, err := r.client.RevokeKey(t.Context(), &governancev1.RevokeKeyRequest{KeyId: sealed.GetKeyId(), Reason: c.reason}); err != nil {
			t.Fatal(err)
		}
		for _, keys := range [][][]byte{nil, {r.read(fileSignerPEM)}} {
			req.PublicKeys = keys
			got, err := r.client.VerifyPassport(t.Context(), req)
			if err != nil || got.GetOverall() != c.want || stateOf(got, "key_status") != c.want || stateOf(got, "signature") != holds {
				t.Errorf("%s: %v, %v", c.reason, got, err)
			}
		}
	}
}

func TestPassportsAreFound(t *testing.T) {
	r := newRig(t)
	sealed := r.mustSeal()
	for _, by := range []string{sealed.GetPassport(), run} {
		got, err := r.client.GetPassport(t.Context(), &governancev1.GetPassportRequest{Passport: by})
		if err != nil || got.GetPassport().GetDigest() != sealed.GetPassport() || got.GetPassport().GetModelName() != "org/name" {
			t.Fatalf("%v, %v", got, err)
		}
		for _, f := range got.GetFiles() {
			if !bytes.Equal(f.GetContent(), r.read(f.GetName())) {
				t.Errorf("%s has other bytes", f.GetName())
			}
		}
		if len(got.GetFiles()) != 7 {
			t.Errorf("%d files", len(got.GetFiles()))
		}
	}
	if _, err := r.client.GetPassport(t.Context(), &governancev1.GetPassportRequest{Passport: "../x"}); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_PASSPORT_NOT_FOUND) {
		t.Errorf("%v", err)
	}
	page, err := r.client.ListPassports(t.Context(), &governancev1.ListPassportsRequest{PageSize: 1})
	if err != nil || len(page.GetPassports()) != 1 || page.GetNextPageToken() != "" {
		t.Errorf("%v, %v", page, err)
	}
	for _, q := range []*governancev1.ListPassportsRequest{{RunId: "another"}, {PageToken: "1"}} {
		if page, err := r.client.ListPassports(t.Context(), q); err != nil || len(page.GetPassports()) != 0 {
			t.Errorf("%v: %v, %v", q, page, err)
		}
	}
	for _, token := range []string{"x", "-1"} {
		_, err := r.client.ListPassports(t.Context(), &governancev1.ListPassportsRequest{PageToken: token})
		if !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_RESUME_TOKEN_FOREIGN) {
			t.Errorf("%q: %v", token, err)
		}
	}
}

// The signed list of evidence is what was filed, each once, in its order.
func TestEvidenceIsCited(t *testing.T) {
	r := newRig(t)
	e := &governancev1.Evidence{Kind: "pii_found", Subjects: []string{"sha256:00"}, Result: "sha256:ab", Tool: "scanner", ToolVersion: "1",
		ObservedAt: timestamppb.New(r.clock.Now()), State: holds}
	var digests []string
	for range 2 {
		got, err := r.client.RecordEvidence(t.Context(), &governancev1.RecordEvidenceRequest{RunId: run, Evidence: e})
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, got.GetDigest())
	}
	if digests[0] != digests[1] {
		t.Errorf("%q", digests)
	}
	list, err := r.client.ListEvidence(t.Context(), &governancev1.ListEvidenceRequest{RunId: run})
	if err != nil || len(list.GetEvidence()) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	r.mustSeal()
	s, err := passport.DecodeStatement(r.read(filePassport))
	if err != nil || len(s.Predicate.Evidence) != 1 || s.Predicate.Evidence[0].Digest["sha256"] != "ab" || s.Predicate.Evidence[0].ObservedAt != "2023-11-14T22:13:20Z" {
		t.Fatalf("%+v, %v", s.Predicate.Evidence, err)
	}
	for _, f := range s.Predicate.RiskClaims {
		if f.Name == "pii_found" && (f.State != "unknown" || len(f.Evidence) != 1) {
			t.Errorf("%+v: a result that nobody read clears no flag", f)
		}
	}
}
