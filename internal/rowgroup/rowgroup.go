// Package rowgroup names the erasure group of what belongs to one row of a dataset, so that one person's row can be erased
// of a salted run: its rollouts, their verdicts and their rewards, in every step that sampled it.
//
// Two places must agree on the name: who writes the records, and who erases by row.
package rowgroup

import (
	"crypto/sha256"
	"encoding/hex"

	"google.golang.org/protobuf/encoding/protowire"
)

// prefix keeps rows apart from groups that a writer names, and from the group "run".
const prefix = "row:"

// maxName is the longest name that a group may have; a longer id goes by its digest.
const maxName = 256

// Name is the group of a row by its id, which is the task id of its rollouts; empty for an empty one.
func Name(id string) string {
	switch {
	case id == "":
		return ""
	case len(prefix)+len(id) > maxName:
		sum := sha256.Sum256([]byte(id))
		return prefix + "sha256:" + hex.EncodeToString(sum[:])
	}
	return prefix + id
}

// taskID is the field of core.v1.Rollout that holds it.
const taskID = 3

// Of is the group of a rollout, read from its bytes without decoding the rest; empty for one that names no row, and for
// bytes that are no message: what they are is for others to say.
func Of(rollout []byte) string {
	id := ""
	for len(rollout) > 0 {
		number, typ, n := protowire.ConsumeTag(rollout)
		if n < 0 {
			return ""
		}
		rollout = rollout[n:]
		if number == taskID && typ == protowire.BytesType {
			b, n := protowire.ConsumeBytes(rollout)
			if n < 0 {
				return ""
			}
			id, rollout = string(b), rollout[n:] // the last one counts, as for everybody who decodes it
			continue
		}
		if n = protowire.ConsumeFieldValue(number, typ, rollout); n < 0 {
			return ""
		}
		rollout = rollout[n:]
	}
	return Name(id)
}
