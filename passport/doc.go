// Package passport is the format of a model passport and everything a stranger needs to verify one offline.
//
// A passport is an in-toto Statement v1 over the files of a model, in RFC 8785 form, signed with ECDSA P-256 in a DSSE
// envelope inside a Sigstore bundle v0.3. So cosign and sigstore libraries verify it as well as this package does. The
// package is pure: bytes and an fs.FS in, values out; no network, no clock.
package passport
