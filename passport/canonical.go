package passport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
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
	if depth > MaxDepth {
		return fmt.Errorf("the document is nested deeper than %d", MaxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	switch x := t.(type) {
	case json.Number:
		return number(x.String())
	case json.Delim:
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

// number refuses what a double cannot hold: RFC 8785 would silently write another one.
func number(s string) error {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(x, 0) {
		return fmt.Errorf("the number %s is out of range", s)
	}
	if x == math.Trunc(x) && math.Abs(x) > 1<<53 {
		return fmt.Errorf("the integer %s is beyond 2^53; write it as a text", s)
	}
	return nil
}

// loneSurrogate finds \ud800 to \udfff escapes without their other half; encoding/json would turn them into U+FFFD.
func loneSurrogate(b []byte) bool {
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 >= len(b) {
			continue
		}
		if b[i+1] != 'u' {
			i++
			continue
		}
		high, ok := hex4(b[min(i+2, len(b)):])
		if !ok || high < 0xd800 || high > 0xdfff {
			i++
			continue
		}
		if high >= 0xdc00 || i+7 >= len(b) || b[i+6] != '\\' || b[i+7] != 'u' {
			return true
		}
		low, ok := hex4(b[i+8:])
		if !ok || low < 0xdc00 || low > 0xdfff {
			return true
		}
		i += 11
	}
	return false
}

func hex4(b []byte) (uint64, bool) {
	if len(b) < 4 {
		return 0, false
	}
	v, err := strconv.ParseUint(string(b[:4]), 16, 16)
	return v, err == nil
}
