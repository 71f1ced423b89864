package ledger

import (
	"testing"

	"github.com/provenir/provenir/cli/app"
	led "github.com/provenir/provenir/ledger"
)

// What was not checked is no pass, and no failure: exit 3. Damage comes first.
func TestJudge(t *testing.T) {
	tests := []struct {
		name    string
		report  led.Report
		trusted bool
		code    int
	}{
		{"holds", led.Report{}, true, 0},
		{"no key", led.Report{}, false, 3},
		{"a segment is elsewhere", led.Report{Away: []led.AwaySegment{{LastSeq: 9}}}, true, 3},
		{"payloads are encrypted", led.Report{EncryptedUnchecked: 2}, true, 3},
		{"payloads were retired by a rule", led.Report{Retired: []led.RetiredSegment{{Declared: true}}}, true, 0},
		{"payloads are gone and findings was not looked at", led.Report{Retired: []led.RetiredSegment{{}}}, true, 3},
		{"payloads lie elsewhere", led.Report{BlobsUnchecked: 1}, true, 3},
		{"damage beside what is elsewhere", led.Report{Away: []led.AwaySegment{{}}, Damages: []led.Damage{{Kind: led.FlippedBits}}}, true, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := judge([]*led.Report{&tt.report}, tt.trusted, nil)
			if code := app.Code(err); code != tt.code {
				t.Errorf("exit %d (%v), want %d", code, err, tt.code)
			}
		})
	}
}
