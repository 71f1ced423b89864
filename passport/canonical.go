package passport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
)

// Limits of a document.
const (
	MaxBytes = 16 << 20
	MaxDepth = 64
)

// ErrDuplicateKey is the refusal of an object with a key twice: two readers could see two values.
var ErrDuplicateKey = errors.New("a JSON object has the same key twice")

// ErrNotCanonical is the refusal of bytes that are not in RFC 8785 form.
var ErrNotCanonical = errors.New("the JSON is not in canonical form (RFC 8785)")

// Canonical gives the RFC 8785 form of a document, after refusing what has no single meaning: duplicate keys, invalid
// UTF-8, lone surrogates, integers beyond ±2^53, deep nesting, trailing bytes.
func Canonical(b []byte) ([]byte, error) {
	if err := check(b); err != nil {
		return nil, err
	}
	return jcs.Transform(b)
}

// RequireCanonical says whether b is its own canonical form.
func RequireCanonical(b []byte) error {
	c, err := Canonical(b)
	if err != nil {
		return err
	}
	if !bytes.Equal(b, c) {
		return ErrNotCanonical
	}
	return nil
}

func check(b []byte) error {
	if len(b) > MaxBytes {
		return fmt.Errorf("the document has more than %d bytes", MaxBytes)
	}
	if !utf8.Valid(b) {
		return errors.New("the document is not UTF-8")
	}
	if loneSurrogate(b) {
		return errors.New("the document has half of a surrogate pair")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := value(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("text follows the document")
	}
	return nil
}

func value(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	switch x := t.(type) {
	case json.Number:
		return number(x.String())
	case json.Delim:
		if depth == MaxDepth {
			return fmt.Errorf("the document is nested deeper than %d", MaxDepth)
		}
		return container(d, x, depth)
	}
	return nil
}

func container(d *json.Decoder, open json.Delim, depth int) error {
	seen := map[string]bool{}
	for d.More() {
		if open == '{' {
			t, err := d.Token()
			if err != nil {
				return fmt.Errorf("not JSON: %w", err)
			}
			key, _ := t.(string) // the decoder gives only strings here
			if seen[key] {
				return fmt.Errorf("%q: %w", key, ErrDuplicateKey)
			}
			seen[key] = true
		}
		if err := value(d, depth+1); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// maxInteger is the last one up to which every integer is a double. Its text is compared, not its value: 2^53+1 reads as
// 2^53, and RFC 8785 would silently write that.
const maxInteger = "9007199254740992"

// number refuses what a double cannot hold: RFC 8785 would silently write another one. Digits behind a decimal point are
// rounded as every JSON reader rounds them.
func number(s string) error {
	x, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || math.IsInf(x, 0):
		return fmt.Errorf("the number %s is out of range", s)
	case x == 0 && strings.ContainsAny(mantissa(s), "123456789"):
		return fmt.Errorf("the number %s would become zero", s)
	case math.Abs(x) >= 1<<53 && strings.TrimPrefix(s, "-") != maxInteger:
		return fmt.Errorf("the integer %s is beyond 2^53; write it as a text", s)
	}
	return nil
}

func mantissa(s string) string {
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		return s[:i]
	}
	return s
}
