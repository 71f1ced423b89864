// Package fakes3 is an S3-compatible store in memory, for tests: one bucket, conditional puts, checksums, ranges, Object
// Lock headers, and requests whose signature does not hold are refused. It fails on demand.
package fakes3

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Object is what is stored.
type Object struct {
	Data   []byte
	Header http.Header // of the put
}

// Store is the server. Make it with New.
type Store struct {
	Bucket, Key, Secret string

	mu      sync.Mutex
	objects map[string]Object
	calls   []string
	fault   func(r *http.Request) Fault
}

// Fault is what goes wrong with one request; the zero value is nothing.
type Fault struct {
	Status  int           // answered instead of doing anything
	After   bool          // the request is carried out, and the answer is lost
	Flip    bool          // one bit of the answer's body is wrong
	Cut     int           // the answer breaks off after so many bytes
	Wait    chan struct{} // the answer waits for it, or for the client to give up
	NoRange bool          // the range is ignored
	NoSum   bool          // no checksum is told
}

// New makes an empty store.
func New() *Store {
	return &Store{Bucket: "ledger-test", Key: "AKIDEXAMPLE", Secret: "secret", objects: map[string]Object{}}
}

// Fail sets what goes wrong from here on; nil is nothing.
func (s *Store) Fail(fault func(r *http.Request) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

// Get gives an object.
func (s *Store) Get(name string) (Object, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.objects[name]
	return o, ok
}

// Set puts an object past all rules.
func (s *Store) Set(name string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[name] = Object{Data: data, Header: http.Header{}}
}

// Names lists the objects.
func (s *Store) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for n := range s.objects {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// Calls lists method and name of all requests so far, and forgets them.
func (s *Store) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.calls
	s.calls = nil
	return out
}

// ServeHTTP answers PUT, HEAD and GET of objects.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, "/"+s.Bucket+"/")
	s.mu.Lock()
	s.calls = append(s.calls, r.Method+" "+name)
	var f Fault
	if s.fault != nil {
		f = s.fault(r)
	}
	s.mu.Unlock()
	if f.Wait != nil {
		select {
		case <-f.Wait:
		case <-r.Context().Done():
			return
		}
	}
	switch body, err := io.ReadAll(r.Body); {
	case err != nil:
		refuse(w, http.StatusBadRequest, "IncompleteBody")
	case f.Status != 0 && !f.After:
		refuse(w, f.Status, "SlowDown")
	case !ok:
		refuse(w, http.StatusNotFound, "NoSuchBucket")
	case !s.signed(r, body):
		refuse(w, http.StatusForbidden, "SignatureDoesNotMatch")
	case r.Method == http.MethodPut:
		s.put(w, r, name, body, f)
	case r.Method == http.MethodGet, r.Method == http.MethodHead:
		s.get(w, r, name, f)
	default:
		refuse(w, http.StatusNotImplemented, "NotImplemented")
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, code)
}

func (s *Store) put(w http.ResponseWriter, r *http.Request, name string, body []byte, f Fault) {
	sum := sha256.Sum256(body)
	if want := r.Header.Get("x-amz-checksum-sha256"); want != "" && want != base64.StdEncoding.EncodeToString(sum[:]) {
		refuse(w, http.StatusBadRequest, "BadDigest")
		return
	}
	s.mu.Lock()
	_, taken := s.objects[name]
	if taken && r.Header.Get("If-None-Match") == "*" {
		s.mu.Unlock()
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
		return
	}
	s.objects[name] = Object{Data: body, Header: r.Header.Clone()}
	s.mu.Unlock()
	if f.After {
		refuse(w, f.Status, "InternalError")
		return
	}
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	w.WriteHeader(http.StatusOK)
}

func (s *Store) get(w http.ResponseWriter, r *http.Request, name string, f Fault) {
	o, ok := s.Get(name)
	if !ok {
		refuse(w, http.StatusNotFound, "NoSuchKey")
		return
	}
	if !f.NoSum && r.Header.Get("x-amz-checksum-mode") == "ENABLED" {
		sum := sha256.Sum256(o.Data)
		w.Header().Set("x-amz-checksum-sha256", base64.StdEncoding.EncodeToString(sum[:]))
	}
	w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
	w.Header().Set("ETag", `"0123"`)
	data, status := o.Data, http.StatusOK
	if first, last, ranged := byteRange(r.Header.Get("Range")); ranged && !f.NoRange {
		if first >= len(data) {
			refuse(w, http.StatusRequestedRangeNotSatisfiable, "InvalidRange")
			return
		}
		last = min(last, len(data)-1)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, len(data)))
		data, status = data[first:last+1], http.StatusPartialContent
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	if f.Flip && len(data) > 0 {
		data = slices.Clone(data)
		data[len(data)/2] ^= 1
	}
	if f.Cut > 0 && f.Cut < len(data) {
		data = data[:f.Cut] // less than was promised: the connection is closed
	}
	_, _ = w.Write(data) // a client that is gone does not matter
}

func byteRange(header string) (first, last int, ok bool) {
	n, err := fmt.Sscanf(header, "bytes=%d-%d", &first, &last)
	return first, last, err == nil && n == 2
}
