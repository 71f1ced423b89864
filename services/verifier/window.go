package verifier

import (
	"sync"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// window is the receiver's side of the credit: what the caller has sent and not got back.
type window struct {
	mu                 sync.Mutex
	maxItems, outItems int
	maxBytes, outBytes int64
	// earned is credit of verdicts that were sent, not yet given back.
	earnedItems int
	earnedBytes int64
}

// take counts what came in. A frame above the whole window passes alone, or it could never pass.
func (w *window) take(items int, bytes int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.outItems > 0 && (w.outItems+items > w.maxItems || w.outBytes+bytes > w.maxBytes) {
		return false
	}
	w.outItems += items
	w.outBytes += bytes
	return true
}

// earn counts verdicts that were sent.
func (w *window) earn(items int, bytes int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.earnedItems += items
	w.earnedBytes += bytes
}

// grant gives what was earned: once it is a quarter of the window, or at once where nothing else is to be sent, because
// the caller may wait for it.
func (w *window) grant(idle bool) *verifierv1.VerifyCredit {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.earnedItems == 0 || !idle && w.earnedItems < w.maxItems/4 && w.earnedBytes < w.maxBytes/4 {
		return nil
	}
	c := &verifierv1.VerifyCredit{Bytes: uint64(w.earnedBytes), Items: uint32(w.earnedItems)}
	w.outItems -= w.earnedItems
	w.outBytes -= w.earnedBytes
	w.earnedItems, w.earnedBytes = 0, 0
	return c
}
