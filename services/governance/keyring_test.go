package governance

import (
	"testing"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	"github.com/provenir/provenir/internal/rpc"
)

func TestARevokedKeySealsNoMore(t *testing.T) {
	r := newRig(t)
	made, err := r.client.CreateKey(t.Context(), &governancev1.CreateKeyRequest{MakeDefault: true})
	if err != nil {
		t.Fatal(err)
	}
	id := made.GetKey().GetKeyId()
	got, err := r.client.RevokeKey(t.Context(), &governancev1.RevokeKeyRequest{KeyId: id, Reason: "lost"})
	if err != nil || got.GetKey().GetState() != governancev1.KeyState_KEY_STATE_REVOKED || got.GetKey().GetRevokeTime() == nil {
		t.Fatalf("%v, %v", got, err)
	}
	req := r.request()
	req.KeyId = id
	if _, err := r.seal(req); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_KEY_REVOKED) {
		t.Errorf("%v", err)
	}
	r.nothingLeft()
	if _, err := r.client.RevokeKey(t.Context(), &governancev1.RevokeKeyRequest{KeyId: "absent"}); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_KEY_UNKNOWN) {
		t.Errorf("an absent key: %v", err)
	}
	req.KeyId = "" // without a name, a new default key is made
	sealed, err := r.seal(req)
	if err != nil || sealed.GetKeyId() == id {
		t.Errorf("%v, %v", sealed, err)
	}
	list, err := r.client.ListKeys(t.Context(), &governancev1.ListKeysRequest{})
	if err != nil || len(list.GetKeys()) != 2 {
		t.Errorf("%v, %v", list, err)
	}
}

func TestALockedKeySealsNothing(t *testing.T) {
	r := newRig(t)
	r.start("correct horse")
	made, err := r.client.CreateKey(t.Context(), &governancev1.CreateKeyRequest{MakeDefault: true})
	if err != nil || !made.GetKey().GetEncrypted() {
		t.Fatalf("%v, %v", made, err)
	}
	for _, wrong := range []string{"", "battery staple"} {
		r.start(wrong)
		if _, err := r.seal(r.request()); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_KEY_LOCKED) {
			t.Errorf("passphrase %q: %v", wrong, err)
		}
		r.nothingLeft()
	}
	r.start("correct horse")
	if sealed := r.mustSeal(); sealed.GetKeyId() != made.GetKey().GetKeyId() {
		t.Errorf("signed by %s", sealed.GetKeyId())
	}
}
