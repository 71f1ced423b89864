package schema

import (
	"errors"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// formats are the checks of formats=assert. What is not a string passes: format says nothing of other types.
func formats() []*jsonschema.Format {
	return []*jsonschema.Format{
		format("date-time", func(s string) bool {
			_, err := time.Parse(time.RFC3339Nano, strings.ToUpper(s)) // RFC 3339 takes t and z in lower case too
			return err == nil
		}),
		format("email", func(s string) bool {
			a, err := mail.ParseAddress(s)
			return err == nil && a.Address == s // no name, no brackets
		}),
		format("ipv4", func(s string) bool {
			a, err := netip.ParseAddr(s)
			return err == nil && a.Is4()
		}),
		format("ipv6", func(s string) bool {
			a, err := netip.ParseAddr(s)
			return err == nil && a.Is6() && a.Zone() == ""
		}),
		format("uuid", uuid.MatchString),
		format("uri", func(s string) bool {
			u, err := url.Parse(s)
			return err == nil && u.IsAbs() && !strings.ContainsAny(s, " \\\"<>^`{|}")
		}),
	}
}

func format(name string, holds func(string) bool) *jsonschema.Format {
	return &jsonschema.Format{Name: name, Validate: func(v any) error {
		if s, ok := v.(string); ok && !holds(s) {
			return errFormat
		}
		return nil
	}}
}

var errFormat = errors.New("the text does not have the format")
