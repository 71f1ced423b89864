// Package ship copies sealed segments, tree tiles and the checkpoints that cover them to an S3-compatible store, and takes
// the local file away where the policy says so and the store has shown that it holds the same bytes.
//
// Names in the store are those of the folder below "ledger/": <tenant>/<run>/<log>/00000000.seg. Tiles have the paths of
// C2SP tlog-tiles there, so that each is written once; checkpoints are named by their size. Everything is put with
// If-None-Match: *, so a copy is never replaced, by us or by another recorder. A segment that is not sealed yet goes out in
// pieces, one after the other. The seal's cosignatures and keys are not shipped.
//
// Nothing waits for it: it reads files that will never change, in one goroutine, and what it has done is known after a
// restart from the file "shipped" of the log, or from the store when that file is gone.
package ship

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"
)

// Config says where copies go. The zero value ships nothing.
type Config struct {
	Endpoint        string // https://host[:port]; http for loopback only
	Region          string // us-east-1
	Bucket          string
	CredentialsFile string // in the form of ~/.aws/credentials; empty takes AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
	Lock            string // Object Lock: empty, governance or compliance
	LockDays        int    // how long objects are locked
	// TailEvery is how often what a log of a live run has gained is shipped before its segment is full; 0 is not before the
	// run has ended.
	TailEvery time.Duration
	// KeepLocal is how long a segment stays on the local disk after it was shipped; nil is for ever.
	KeepLocal *time.Duration
}

// Enabled tells whether anything is shipped.
func (c Config) Enabled() bool { return c.Endpoint != "" || c.Bucket != "" }

// Check names the first setting that cannot be.
func (c Config) Check() error {
	if !c.Enabled() {
		if c.Lock != "" || c.KeepLocal != nil {
			return errors.New("recorder.ship.lock and recorder.ship.keep_local need recorder.ship.endpoint and recorder.ship.bucket")
		}
		return nil
	}
	if c.Endpoint == "" || c.Bucket == "" {
		return errors.New("recorder.ship.endpoint and recorder.ship.bucket belong together: give both or none")
	}
	if _, err := c.endpoint(); err != nil {
		return err
	}
	switch {
	case c.Lock != "" && c.Lock != "governance" && c.Lock != "compliance":
		return fmt.Errorf("recorder.ship.lock is %q; want governance, compliance or nothing", c.Lock)
	case c.Lock != "" && c.LockDays < 1, c.Lock == "" && c.LockDays != 0:
		return errors.New("recorder.ship.lock and recorder.ship.lock_days belong together: a lock needs at least one day")
	case c.KeepLocal != nil && *c.KeepLocal < 0:
		return errors.New("recorder.ship.keep_local: no negative time")
	case c.TailEvery < 0:
		return errors.New("recorder.ship.tail_every: no negative time")
	}
	return nil
}

// endpoint refuses plain HTTP to other machines: a run's payloads would cross the network in plain text.
func (c Config) endpoint() (*url.URL, error) {
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" && u.Path != "/" {
		return nil, fmt.Errorf("recorder.ship.endpoint is %q; want https://host or https://host:port", c.Endpoint)
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("recorder.ship.endpoint is %q: plain HTTP is for loopback only, use https", c.Endpoint)
	}
	return u, nil
}
