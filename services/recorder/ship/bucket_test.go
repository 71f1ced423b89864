package ship

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/services/recorder/ship/fakes3"
)

func TestBucket(t *testing.T) {
	r := newRig(t, nil)
	ctx, data := t.Context(), []byte("0123456789")
	if err := put(ctx, r.bucket, "a/b", data); err != nil {
		t.Fatal(err)
	}
	if err := put(ctx, r.bucket, "a/b", []byte("other")); !errors.Is(err, ErrExists) {
		t.Errorf("a second put: %v", err)
	}
	if o, ok := r.s3.Get("ledger/a/b"); !ok || !bytes.Equal(o.Data, data) || o.Header.Get("If-None-Match") != "*" {
		t.Errorf("stored %q with %v", o.Data, o.Header)
	}
	if o, err := r.bucket.Head(ctx, "a/b"); err != nil || o.Size != 10 || o.SHA256 == nil {
		t.Errorf("head %+v, %v", o, err)
	}
	if _, err := r.bucket.Head(ctx, "a/c"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("head of nothing: %v", err)
	}
	tests := []struct {
		name  string
		at    int64
		n     int
		want  string
		err   error
		fault fakes3.Fault
	}{
		{"whole", 0, 10, "0123456789", nil, fakes3.Fault{}},
		{"part", 3, 4, "3456", nil, fakes3.Fault{}},
		{"over the end", 8, 5, "89", io.EOF, fakes3.Fault{}},
		{"behind the end", 10, 5, "", io.EOF, fakes3.Fault{}},
		{"range ignored", 3, 4, "", errAny, fakes3.Fault{NoRange: true}},
		{"cut off", 0, 10, "0123", errAny, fakes3.Fault{Cut: 4}},
		{"refused", 0, 10, "", errAny, fakes3.Fault{Status: http.StatusServiceUnavailable}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r.s3.Fail(func(*http.Request) fakes3.Fault { return tt.fault })
			b := make([]byte, tt.n)
			n, err := r.bucket.ReadRange(ctx, "a/b", b, tt.at)
			wrong := !errors.Is(err, tt.err)
			if tt.err == errAny {
				wrong = err == nil || errors.Is(err, io.EOF)
			}
			if wrong || string(b[:n]) != tt.want {
				t.Errorf("%q, %v; want %q, %v", b[:n], err, tt.want, tt.err)
			}
		})
	}
}

var errAny = errors.New("any error but io.EOF")

func TestObjectLockAndSignature(t *testing.T) {
	r := newRig(t, nil)
	cfg := r.cfg
	cfg.Lock, cfg.LockDays = "compliance", 10
	locked, err := Dial(cfg, r.clock)
	if err != nil {
		t.Fatal(err)
	}
	defer locked.Close()
	if err := put(t.Context(), locked, "x", []byte("x")); err != nil {
		t.Fatal(err)
	}
	o, _ := r.s3.Get("ledger/x")
	if mode, until := o.Header.Get("X-Amz-Object-Lock-Mode"), o.Header.Get("X-Amz-Object-Lock-Retain-Until-Date"); mode != "COMPLIANCE" || until != "2023-11-24T22:13:20Z" {
		t.Errorf("lock %q until %q", mode, until)
	}
	cfg.CredentialsFile = credentialsFile(t, r.s3.Key, "another secret")
	foreign, err := Dial(cfg, r.clock)
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	if err := put(t.Context(), foreign, "y", []byte("y")); err == nil || !strings.Contains(err.Error(), "SignatureDoesNotMatch") {
		t.Errorf("a wrong secret: %v", err)
	}
}

func TestConfigNamesWhatCannotBe(t *testing.T) {
	keep := -time.Second
	day := 24 * time.Hour
	good := Config{Endpoint: "https://s3.example.org", Bucket: "b"}
	tests := []struct {
		name, want string
		change     func(*Config)
	}{
		{"good", "", func(*Config) {}},
		{"nothing", "", func(c *Config) { *c = Config{} }},
		{"no bucket", "belong together", func(c *Config) { c.Bucket = "" }},
		{"no endpoint", "belong together", func(c *Config) { c.Endpoint = "" }},
		{"plain HTTP", "loopback only", func(c *Config) { c.Endpoint = "http://s3.example.org" }},
		{"plain HTTP at home", "", func(c *Config) { c.Endpoint = "http://127.0.0.1:9000" }},
		{"no URL", "want https://host", func(c *Config) { c.Endpoint = "s3.example.org" }},
		{"a path", "want https://host", func(c *Config) { c.Endpoint = "https://x/y" }},
		{"unknown lock", "want governance", func(c *Config) { c.Lock = "firm" }},
		{"lock without days", "at least one day", func(c *Config) { c.Lock = "governance" }},
		{"days without lock", "belong together", func(c *Config) { c.LockDays = 3 }},
		{"negative time", "no negative time", func(c *Config) { c.KeepLocal = &keep }},
		{"kept, and not shipped", "need recorder.ship.endpoint", func(c *Config) { *c = Config{KeepLocal: &day} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := good
			tt.change(&c)
			err := c.Check()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_ACCESS_KEY", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_SECRET_KEY", "")
	if _, err := Dial(good, clock.System{}); err == nil || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") {
		t.Errorf("no credentials: %v", err)
	}
}
