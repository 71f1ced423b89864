package rewardhttp

import (
	"crypto/sha256"
	"sync"
)

// kept is how many bodies are known, and keptBytes how much of their answers.
const (
	kept      = 1024
	keptBytes = 16 << 20
)

// seen knows bodies by digest: the answers that were given, and how often one was put off. OpenRLHF repeats a call until
// it is answered, and a repeat must be paid the same.
type seen struct {
	mu    sync.Mutex
	by    map[[sha256.Size]byte]*entry
	order [][sha256.Size]byte
	bytes int
}

type entry struct {
	answer []byte // nil where it was put off
	off    int
}

func newSeen() *seen { return &seen{by: map[[sha256.Size]byte]*entry{}} }

// digest is of whose call it is, to what, and what it says.
func digest(parts ...string) [sha256.Size]byte {
	h := sha256.New()
	for _, p := range parts {
		one := sha256.Sum256([]byte(p))
		h.Write(one[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func (s *seen) get(d [sha256.Size]byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.by[d]; e != nil {
		return e.answer
	}
	return nil
}

// putOff counts that a body was put off, and says how often that was.
func (s *seen) putOff(d [sha256.Size]byte) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.add(d)
	e.off++
	return e.off
}

func (s *seen) put(d [sha256.Size]byte, answer []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.add(d)
	s.bytes += len(answer) - len(e.answer)
	e.answer = answer
	for s.bytes > keptBytes && len(s.order) > 1 {
		s.drop()
	}
}

func (s *seen) add(d [sha256.Size]byte) *entry {
	e := s.by[d]
	if e == nil {
		e = &entry{}
		s.by[d] = e
		if s.order = append(s.order, d); len(s.order) > kept {
			s.drop()
		}
	}
	return e
}

func (s *seen) drop() {
	first := s.order[0]
	s.order = s.order[1:]
	s.bytes -= len(s.by[first].answer)
	delete(s.by, first)
}
