package verifier

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// maxKept is how much of stdout and stderr each is stored, in bytes.
const maxKept = 64 << 10

// output is what a program printed, as it is stored. It is not in the evidence: a program may print a clock, and the evidence
// of a verdict is the same on every repeat.
type output struct {
	Stdout stream `json:"stdout"`
	Stderr stream `json:"stderr"`
}

// stream is text where it is UTF-8, else bytes, which JSON has as base64.
type stream struct {
	Text  string `json:"text,omitempty"`
	Bytes []byte `json:"bytes,omitempty"`
	Cut   bool   `json:"cut,omitempty"` // there was more
}

func streamOf(b []byte) stream {
	s := stream{Cut: len(b) > maxKept}
	b = b[:min(len(b), maxKept)]
	for n := 0; s.Cut && n < utf8.UTFMax-1 && len(b) > 0 && !utf8.Valid(b); n++ { // a rune that the cap has cut
		b = b[:len(b)-1]
	}
	if utf8.Valid(b) {
		s.Text = string(b)
	} else {
		s.Bytes = b
	}
	return s
}

// keepOutput stores what a program printed, and names it beside the verdict. A verdict goes without it where nothing is
// stored or nothing was printed.
func (s *Service) keepOutput(m *corev1.Measured, r *verdict.Run, rollout string) error {
	if s.evidence == nil || r == nil || len(r.Stdout)+len(r.Stderr) == 0 {
		return nil
	}
	b, err := json.Marshal(output{streamOf(r.Stdout), streamOf(r.Stderr)})
	if err != nil {
		return fmt.Errorf("write down the output of rollout %s: %w", rollout, err)
	}
	d, err := s.store(b, "output", rollout)
	if err != nil {
		return err
	}
	m.Output = &corev1.BlobRef{Digest: d, SizeBytes: uint64(len(b)), MediaType: "application/json"}
	return nil
}
