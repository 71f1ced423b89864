// Package alert tells people and their tools what was found: webhooks, Slack, PagerDuty.
//
// Each sink has a queue of its own in the role's database and one worker. A worker copies new anomalies from the table of
// anomalies into its queue, at its own pace: the append and projection paths do not know that alerts exist, so an alert can
// delay neither. What a sink does not take is tried again for 24 hours, across restarts, and then kept as a dead letter.
package alert

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
)

// Sink is where alerts go. Secrets are in files or in the environment; Slack's whole address is one.
type Sink struct {
	Name         string   `yaml:"name"`
	Kind         string   `yaml:"kind"` // webhook, slack, pagerduty
	URL          string   `yaml:"url"`
	URLFile      string   `yaml:"url_file"`
	URLEnv       string   `yaml:"url_env"`
	SecretFile   string   `yaml:"secret_file"` // webhook: whsec_…; pagerduty: the routing key
	SecretEnv    string   `yaml:"secret_env"`
	MinSeverity  string   `yaml:"min_severity"` // info, warn, critical, or low, medium, high; info without it
	Kinds        []string `yaml:"kinds"`        // of anomalies; empty is all
	AllowPrivate bool     `yaml:"allow_private"`

	secret string
	least  corev1.Severity
}

// ParseSinks reads the file that alerts.file names: a mapping with the list sinks. An unknown key is an error, so that a
// secret under a name of one's own is not lost in silence.
func ParseSinks(file string, b []byte) ([]Sink, error) {
	var doc struct {
		Sinks []Sink `yaml:"sinks"`
	}
	if err := yaml.UnmarshalWithOptions(b, &doc, yaml.Strict()); err != nil {
		// Without the source line: it may hold a secret that was pasted where it must not be.
		return nil, fmt.Errorf("%s: %s", file, yaml.FormatError(err, false, false))
	}
	names := map[string]bool{}
	for i, s := range doc.Sinks {
		if s.Name == "" || names[s.Name] {
			return nil, fmt.Errorf("%s: sinks[%d].name: each sink needs a name of its own; its queue is kept under it", file, i)
		}
		names[s.Name] = true
	}
	return doc.Sinks, nil
}

const pagerDutyURL = "https://events.pagerduty.com/v2/enqueue"

// resolve reads the secrets and checks the rest.
func (s Sink) resolve(env func(string) (string, bool)) (Sink, error) {
	fail := func(format string, args ...any) (Sink, error) {
		return Sink{}, fmt.Errorf("alert sink %s: %w", s.Name, fmt.Errorf(format, args...))
	}
	if !slices.Contains([]string{"webhook", "slack", "pagerduty"}, s.Kind) {
		return fail("kind %q: want webhook, slack or pagerduty", s.Kind)
	}
	var ok bool
	if s.least, ok = severityOf(s.MinSeverity); !ok {
		return fail("min_severity %q: want info, warn or critical (or low, medium, high)", s.MinSeverity)
	}
	var err error
	if s.secret, err = secret("secret", s.SecretFile, s.SecretEnv, env); err != nil {
		return fail("%w", err)
	}
	where, err := secret("url", s.URLFile, s.URLEnv, env)
	if err != nil {
		return fail("%w", err)
	}
	switch {
	case where != "" && s.URL != "":
		return fail("url is given twice")
	case s.Kind == "slack" && s.URL != "":
		return fail("the address of a Slack webhook is a secret: give url_file or url_env")
	case where != "":
		s.URL = where
	case s.Kind == "pagerduty" && s.URL == "":
		s.URL = pagerDutyURL
	}
	if err := s.checkURL(); err != nil {
		return fail("%w", err)
	}
	if s.Kind == "webhook" {
		if _, err := signingKey(s.secret); err != nil {
			return fail("%w", err)
		}
	} else if s.Kind == "pagerduty" && s.secret == "" {
		return fail("secret_file or secret_env: want the routing key of the integration")
	}
	return s, nil
}

// checkURL never names the address: it may be a secret.
func (s Sink) checkURL() error {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || u.User != nil {
		return errors.New("url: want https://host/path, without a user")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !s.AllowPrivate) {
		return errors.New("url: want https; plain http is for private targets, with allow_private: true")
	}
	return nil
}

func secret(what, file, variable string, env func(string) (string, bool)) (string, error) {
	switch {
	case file != "" && variable != "":
		return "", fmt.Errorf("%s_file and %s_env: give one", what, what)
	case file != "":
		b, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("%s_file: %w", what, err)
		}
		return strings.TrimSpace(string(b)), nil
	case variable != "":
		v, ok := env(variable)
		if !ok || v == "" {
			return "", fmt.Errorf("%s_env: the variable %s is not set", what, variable)
		}
		return v, nil
	}
	return "", nil
}
