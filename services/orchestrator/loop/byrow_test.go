package loop

import (
	"testing"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

func TestByRow(t *testing.T) {
	salted, plain := recorderv1.Privacy_PRIVACY_SALTED, recorderv1.Privacy_PRIVACY_PLAIN
	for _, tt := range []struct {
		spec *recorderv1.RecorderSpec
		want bool
	}{
		{nil, false},
		{&recorderv1.RecorderSpec{Privacy: plain}, false},
		{&recorderv1.RecorderSpec{Erasure: recorderv1.ErasureScope_ERASURE_SCOPE_ROW}, false},
		{&recorderv1.RecorderSpec{Privacy: salted}, true},
		{&recorderv1.RecorderSpec{Privacy: salted, Erasure: recorderv1.ErasureScope_ERASURE_SCOPE_ROW}, true},
		{&recorderv1.RecorderSpec{Privacy: salted, Erasure: recorderv1.ErasureScope_ERASURE_SCOPE_RUN}, false},
	} {
		if got := byRow(tt.spec); got != tt.want {
			t.Errorf("%v: %v", tt.spec, got)
		}
	}
}
