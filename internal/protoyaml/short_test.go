package protoyaml

import (
	"strings"
	"testing"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// A verifier's file as people write it: options beside the name, members the same, and a reward with of.
func TestVerifiersAreWrittenShort(t *testing.T) {
	const file = `
name: composite
mode: weighted
threshold: 0.5
members:
  - {name: math, options: {profile: group_boxed}, weight: 3}
  - {name: regex, pattern: '(?s).*####.*', required: true}
  - name: starlark
    program: |
      def verify(row):
        return True
reward: {op: clamp, lo: 0, hi: 1, of: {op: gate, when: {member: 1}, threshold: 1, of: {member: 0}}}
`
	var s verifierv1.Spec
	if err := Unmarshal("spec.yaml", []byte(file), &s); err != nil {
		t.Fatal(err)
	}
	o, m := s.GetOptions().AsMap(), s.GetMembers()
	if o["mode"] != "weighted" || o["threshold"] != 0.5 || len(m) != 3 || m[0].GetWeight() != 3 || !m[1].GetRequired() ||
		m[1].GetOptions().AsMap()["pattern"] != "(?s).*####.*" || !strings.Contains(m[2].GetOptions().AsMap()["program"].(string), "\n  return True") {
		t.Errorf("%v", &s)
	}
	clamp := s.GetReward()
	gate := clamp.GetParts()[0]
	if clamp.GetOp() != "clamp" || gate.GetOp() != "gate" || gate.GetWhen().GetOp() != "member" || gate.GetParts()[0].GetOp() != "member" || gate.GetWhen().GetMember() != 1 {
		t.Errorf("%v", clamp)
	}
}

func TestShortFormsThatContradict(t *testing.T) {
	for name, file := range map[string]string{
		"an option twice": "name: math\nprofile: whole\noptions: {profile: whole}", "of and parts": "name: composite\nreward: {op: min, parts: [{member: 0}], of: {member: 1}}",
	} {
		var s verifierv1.Spec
		if err := Unmarshal("spec.yaml", []byte(file), &s); err == nil {
			t.Errorf("%s: %v", name, &s)
		}
	}
}
