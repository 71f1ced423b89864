package ledger

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// What is not audited is never shown as if it were.
func TestShowDeeds(t *testing.T) {
	index := uint64(0)
	tests := []struct {
		name string
		got  *recorderv1.ListDeedsResponse
		want []string
		not  string
	}{
		{"audited", &recorderv1.ListDeedsResponse{Deeds: []*recorderv1.Deed{{Run: "r", Action: "ledger.erase", FindingSeq: 4, By: "owner", Happened: &timestamppb.Timestamp{Seconds: 1}, AuditIndex: &index}}},
			[]string{"ledger.erase", "record 4 of findings", "1970-01-01T00:00:01Z", "by owner", "entry 0 of the audit log"}, "NOT AUDITED"},
		{"waiting", &recorderv1.ListDeedsResponse{Waiting: 1, Deeds: []*recorderv1.Deed{{Run: "r", Action: "ledger.loss"}}}, []string{"NOT AUDITED yet", "1 wait"}, "entry 0"},
		{"refused", &recorderv1.ListDeedsResponse{Waiting: 1, Deeds: []*recorderv1.Deed{{Run: "r", Attempts: 3, LastError: "the key is locked"}}}, []string{"after 3 attempts: the key is locked"}, "entry 0"},
		{"none", &recorderv1.ListDeedsResponse{}, []string{"nothing was done"}, "wait"},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		a := app.New()
		a.Out = &out
		showDeeds(a, tt.got, false)
		for _, want := range tt.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %q is not in %q", tt.name, want, out.String())
			}
		}
		if strings.Contains(out.String(), tt.not) {
			t.Errorf("%s: %q is in %q", tt.name, tt.not, out.String())
		}
	}
}
