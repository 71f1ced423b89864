package passport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrBundle is the refusal of a bundle that is not one.
var ErrBundle = errors.New("the bundle is malformed")

// bundleTypes are the versions whose fields are those of Bundle.
var bundleTypes = []string{BundleType, "application/vnd.dev.sigstore.bundle+json;version=0.3",
	"application/vnd.dev.sigstore.bundle+json;version=0.2", "application/vnd.dev.sigstore.bundle+json;version=0.1"}

// DecodeBundle reads a bundle strictly: one of envelope and message signature, exactly one signature, no unknown field.
func DecodeBundle(b []byte) (Bundle, error) {
	var out Bundle
	if err := check(b); err != nil {
		return out, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil {
		return out, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	if err := spelling(b); err != nil {
		return out, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	switch {
	case !slices.Contains(bundleTypes, out.MediaType):
		return out, fmt.Errorf("%w: media type %q", ErrBundle, out.MediaType)
	case (out.DSSEEnvelope == nil) == (out.MessageSignature == nil):
		return out, fmt.Errorf("%w: want one of dsseEnvelope and messageSignature", ErrBundle)
	case out.DSSEEnvelope != nil && len(out.DSSEEnvelope.Signatures) != 1:
		return out, fmt.Errorf("%w: %d signatures, want exactly one", ErrBundle, len(out.DSSEEnvelope.Signatures))
	}
	return out, nil
}

var bundleKeys = []string{"mediaType", "verificationMaterial", "publicKey", "hint", "tlogEntries", "timestampVerificationData",
	"dsseEnvelope", "payload", "payloadType", "signatures", "sig", "keyid", "messageSignature", "messageDigest", "algorithm", "digest", "signature"}

// spelling refuses keys that differ from ours in case only. encoding/json takes them for ours, other readers do not: with
// "payload" and "Payload" in one envelope, two verifiers would see two payloads.
func spelling(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	for {
		t, err := d.Token()
		if err != nil {
			return nil // the end: the bytes were read before
		}
		text, ok := t.(string)
		if !ok {
			continue
		}
		for _, k := range bundleKeys {
			if text != k && strings.EqualFold(text, k) {
				return fmt.Errorf("%q: want %q", text, k)
			}
		}
	}
}
