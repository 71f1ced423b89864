package rowgroup

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
)

func bytesOf(t testing.TB, r *corev1.Rollout) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOf(t *testing.T) {
	full := bytesOf(t, &corev1.Rollout{RolloutId: "0.1.2.3", GroupId: "0.1.2", TaskId: "alice/7", Step: 9, Tokens: make([]byte, 999), Segments: []*corev1.Segment{{Text: []byte("x")}}})
	long := strings.Repeat("é", 200)
	tests := []struct {
		name    string
		rollout []byte
		want    string
	}{
		{"a row", full, "row:alice/7"},
		{"none", bytesOf(t, &corev1.Rollout{RolloutId: "1"}), ""},
		{"nothing", nil, ""},
		{"no message", []byte{0xff, 0xff, 0xff}, ""},
		{"cut off", full[:len(full)-5], ""},
		{"twice", append(bytesOf(t, &corev1.Rollout{TaskId: "a"}), bytesOf(t, &corev1.Rollout{TaskId: "b"})...), "row:b"},
		{"a long id", bytesOf(t, &corev1.Rollout{TaskId: long}), Name(long)},
	}
	for _, tt := range tests {
		if got := Of(tt.rollout); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestName(t *testing.T) {
	if Name("") != "" || Name("run") == "run" || Name("a") == Name("b") {
		t.Errorf("%q, %q", Name(""), Name("run"))
	}
	long := strings.Repeat("x", 300)
	if n := Name(long); len(n) > maxName || n == Name(long+"y") {
		t.Errorf("%q", n)
	}
	if n := Name(strings.Repeat("x", maxName-len(prefix))); len(n) != maxName {
		t.Errorf("%d", len(n))
	}
}

// Whoever decodes the rollout finds the same row, or cannot decode it.
func FuzzOf(f *testing.F) {
	f.Add(bytesOf(f, &corev1.Rollout{RolloutId: "0.1.2.3", TaskId: "alice/7", Step: 9}))
	f.Add([]byte{0x1a, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		got := Of(b)
		var r corev1.Rollout
		if proto.Unmarshal(b, &r) == nil && got != Name(r.GetTaskId()) {
			t.Fatalf("%q, decoded it is %q", got, r.GetTaskId())
		}
	})
}
