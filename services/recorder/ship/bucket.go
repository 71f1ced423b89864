package ship

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/encrypt"

	"github.com/provenir/provenir/internal/clock"
)

// Object is what the store says of a copy.
type Object struct {
	Size int64
	// SHA256 is the store's own checksum of the bytes that it holds; nil where it has none.
	SHA256 *[32]byte
}

// ErrExists tells that a name is taken.
var ErrExists = errors.New("the store already holds an object of that name")

// prefix keeps a ledger apart from whatever else lies in the bucket.
const prefix = "ledger/"

// requestTime bounds a call: a store that hangs is a store that is away.
const requestTime = 2 * time.Minute

// Bucket is the store. It makes no second attempt at anything; that is the shipper's, who knows how long to wait.
type Bucket struct {
	core  minio.Core
	cfg   Config
	clock clock.Clock
	idle  func()
}

// Dial checks the settings and reads the credentials; it calls nobody.
func Dial(cfg Config, c clock.Clock) (*Bucket, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	u, err := cfg.endpoint()
	if err != nil {
		return nil, err
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	creds := credentials.NewEnvAWS()
	where := "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set; set them, or name a file in recorder.ship.credentials_file"
	if cfg.CredentialsFile != "" {
		creds = credentials.NewFileAWSCredentials(cfg.CredentialsFile, "default")
		where = "recorder.ship.credentials_file: " + cfg.CredentialsFile + " has no aws_access_key_id and aws_secret_access_key under [default]"
	}
	if v, err := creds.GetWithContext(nil); err != nil {
		return nil, fmt.Errorf("recorder.ship.credentials_file: %w", err)
	} else if v.AccessKeyID == "" || v.SecretAccessKey == "" {
		return nil, errors.New(where)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = requestTime
	core, err := minio.NewCore(u.Host, &minio.Options{Creds: creds, Secure: u.Scheme == "https", Region: cfg.Region, Transport: transport, MaxRetries: 1})
	if err != nil {
		return nil, fmt.Errorf("recorder.ship: %w", err)
	}
	return &Bucket{core: *core, cfg: cfg, clock: c, idle: transport.CloseIdleConnections}, nil
}

// Close lets go of connections that wait for a next request.
func (b *Bucket) Close() { b.idle() }

// Put writes an object unless there is one of that name, which is [ErrExists]. The store compares the bytes with the
// checksum before it takes them.
func (b *Bucket) Put(ctx context.Context, name string, body io.ReadSeeker, size int64, sum [32]byte) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	// Signed over the hash of the bytes, not over chunks of them, also where the connection is plain.
	opts := minio.PutObjectOptions{DisableContentSha256: true, UserMetadata: map[string]string{"x-amz-checksum-sha256": base64.StdEncoding.EncodeToString(sum[:])}}
	opts.SetMatchETagExcept("*")
	opts.ServerSideEncryption = algorithm{}
	md := ""
	if b.cfg.Lock != "" {
		var err error
		if md, err = contentMD5(body); err != nil {
			return fmt.Errorf("put %s: %w", name, err)
		}
		opts.Mode = minio.Governance
		if b.cfg.Lock == "compliance" {
			opts.Mode = minio.Compliance
		}
		opts.RetainUntilDate = b.clock.Now().AddDate(0, 0, b.cfg.LockDays)
	}
	_, err := b.core.PutObject(ctx, b.cfg.Bucket, prefix+name, body, size, md, hex.EncodeToString(sum[:]), opts)
	if status(err) == http.StatusPreconditionFailed {
		return ErrExists
	}
	if err != nil {
		return fmt.Errorf("put %s: %w", name, err)
	}
	return nil
}

// algorithm names the checksum beside its value, as some stores want it before they keep one. The client has no other way
// to set a header of that name than the one for encryption, of which this asks nothing.
type algorithm struct{}

// Type is none of the client's.
func (algorithm) Type() encrypt.Type { return "" }

// Marshal sets the header.
func (algorithm) Marshal(h http.Header) { h.Set("X-Amz-Sdk-Checksum-Algorithm", "SHA256") }

// contentMD5 is what stores ask for beside a lock, whatever other checksum there is.
func contentMD5(body io.ReadSeeker) (string, error) {
	h := md5.New()
	if _, err := io.Copy(h, body); err != nil {
		return "", err
	}
	_, err := body.Seek(0, io.SeekStart)
	return base64.StdEncoding.EncodeToString(h.Sum(nil)), err
}

// Head asks what the store holds under a name; fs.ErrNotExist is nothing.
func (b *Bucket) Head(ctx context.Context, name string) (Object, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	info, err := b.core.StatObject(ctx, b.cfg.Bucket, prefix+name, minio.StatObjectOptions{Checksum: true})
	if err != nil {
		return Object{}, absent(name, err)
	}
	o := Object{Size: info.Size}
	if sum, err := base64.StdEncoding.DecodeString(info.ChecksumSHA256); err == nil && len(sum) == 32 {
		o.SHA256 = (*[32]byte)(sum)
	}
	return o, nil
}

// Size is the length of a copy.
func (b *Bucket) Size(ctx context.Context, name string) (int64, error) {
	o, err := b.Head(ctx, name)
	return o.Size, err
}

// ReadRange reads from an offset of a copy: fewer bytes and io.EOF at its end.
func (b *Bucket) ReadRange(ctx context.Context, name string, p []byte, off int64) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	var opts minio.GetObjectOptions
	if err := opts.SetRange(off, off+int64(len(p))-1); err != nil {
		return 0, fmt.Errorf("read %s: %w", name, err)
	}
	r, _, header, err := b.core.GetObject(ctx, b.cfg.Bucket, prefix+name, opts)
	if status(err) == http.StatusRequestedRangeNotSatisfiable {
		return 0, io.EOF
	}
	if err != nil {
		return 0, absent(name, err)
	}
	defer r.Close()
	got := header.Get("Content-Range")
	if !strings.HasPrefix(got, fmt.Sprintf("bytes %d-", off)) { // the whole object, or another part of it
		return 0, fmt.Errorf("read %s: asked for byte %d on, the store answers with the range %q", name, off, got)
	}
	n, err := io.ReadFull(io.LimitReader(r, rangeLength(got, off)), p)
	if err != nil && int64(n) == rangeLength(got, off) {
		return n, io.EOF // the object ends here; a shorter answer is a connection that broke
	}
	if err != nil {
		return n, fmt.Errorf("read %s: the answer broke off after %d bytes", name, n)
	}
	return n, nil
}

// rangeLength is how many bytes a Content-Range promises.
func rangeLength(header string, off int64) int64 {
	_, rest, _ := strings.Cut(header, "-")
	last, _, _ := strings.Cut(rest, "/")
	n, err := strconv.ParseInt(last, 10, 64)
	if err != nil {
		return 0
	}
	return n - off + 1
}

func status(err error) int {
	var e minio.ErrorResponse
	if errors.As(err, &e) {
		return e.StatusCode
	}
	return 0
}

func absent(name string, err error) error {
	if status(err) == http.StatusNotFound {
		return fmt.Errorf("%s is not in the store: %w", name, fs.ErrNotExist)
	}
	return fmt.Errorf("read %s: %w", name, err)
}
