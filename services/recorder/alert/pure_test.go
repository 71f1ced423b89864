package alert

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

const (
	open     = recorderv1.IncidentEvent_INCIDENT_EVENT_OPEN
	escalate = recorderv1.IncidentEvent_INCIDENT_EVENT_ESCALATE
	update   = recorderv1.IncidentEvent_INCIDENT_EVENT_UPDATE
	resolve  = recorderv1.IncidentEvent_INCIDENT_EVENT_RESOLVE
	info     = corev1.Severity_SEVERITY_INFO
	warn     = corev1.Severity_SEVERITY_WARN
	critical = corev1.Severity_SEVERITY_CRITICAL
)

func TestDecide(t *testing.T) {
	type seen struct {
		event    recorderv1.IncidentEvent
		severity corev1.Severity
		news     bool
	}
	for _, c := range []struct {
		name, least string
		kinds       []string
		seen        []seen
	}{
		{"each once", "", nil, []seen{{open, info, true}, {open, info, false}, {update, warn, false}, {escalate, warn, true}, {escalate, warn, false}, {resolve, warn, true}, {resolve, warn, false}}},
		{"below the limit", "medium", nil, []seen{{open, info, false}, {resolve, info, false}}},
		{"grows past the limit", "high", nil, []seen{{open, warn, false}, {escalate, critical, true}, {resolve, warn, true}}},
		{"critical passes high", "high", nil, []seen{{open, critical, true}}},
		{"critical passes a filter of kinds", "info", []string{"other"}, []seen{{open, warn, false}, {escalate, critical, true}}},
		{"opens again", "warn", nil, []seen{{open, warn, true}, {resolve, warn, true}, {open, warn, true}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			least, ok := severityOf(c.least)
			s, known := Sink{least: least, Kinds: c.kinds}, told{}
			for i, x := range c.seen {
				var news bool
				news, known = s.decide(known, &recorderv1.Anomaly{Event: x.event, Severity: x.severity, Kind: "kl_blowup"})
				if news != x.news || !ok {
					t.Errorf("event %d: news %v, want %v", i, news, x.news)
				}
			}
		})
	}
	for word, want := range map[string]corev1.Severity{"": info, "low": info, "INFO": info, "medium": warn, "warning": warn, "warn": warn, "high": critical, "critical": critical} {
		if got, ok := severityOf(word); got != want || !ok {
			t.Errorf("%q reads as %v", word, got)
		}
	}
	if _, ok := severityOf("fatal"); ok {
		t.Error("a word of nobody was taken")
	}
}

func TestPublic(t *testing.T) {
	for addr, want := range map[string]bool{
		"1.1.1.1": true, "2606:4700::1111": true, "127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.64.1.1": false, "0.0.0.0": false, "224.0.0.1": false, "255.255.255.255": false, "::1": false,
		"fe80::1": false, "fc00::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false,
		"fe80::1%eth0": false, "::": false, "ff02::1": false, "198.18.0.1": false,
	} {
		if got := public(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
}

func TestBackoff(t *testing.T) {
	for tries := 1; tries < 100; tries++ {
		for _, random := range []float64{0, 0.5, 0.999} {
			d := backoff(tries, random)
			if d < time.Second || d > 5*time.Minute || tries > 9 && d < 150*time.Second {
				t.Errorf("try %d waits %v", tries, d)
			}
		}
	}
	var b breaker
	now := time.Unix(0, 0)
	for range breakAfter - 1 {
		b.failed(now, 0)
	}
	if b.open(now) {
		t.Error("it opened early")
	}
	if b.failed(now, 0); !b.open(now) || b.open(now.Add(longWait)) {
		t.Errorf("after %d failures: until %v", breakAfter, b.until)
	}
	if b.worked(); b.open(now) || b.failures != 0 {
		t.Error("it stays open after a success")
	}
}

// The example of the Standard Webhooks specification's reference libraries.
func TestSign(t *testing.T) {
	key, err := signingKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	if got := sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSinksAreChecked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := func(k string) (string, bool) {
		v, ok := map[string]string{"SLACK": "https://hooks.example/T0/s3cr3t", "KEY": "k", "BAD": "https://u:s3cr3t@x"}[k]
		return v, ok
	}
	for _, c := range []struct{ name, yaml, says string }{
		{"webhook", "kind: webhook, url: 'https://x/y', secret_file: " + file, ""},
		{"slack", "kind: slack, url_env: SLACK, min_severity: medium", ""},
		{"pagerduty", "kind: pagerduty, secret_env: KEY", ""},
		{"private", "kind: webhook, url: 'http://10.0.0.1/y', allow_private: true, secret_file: " + file, ""},
		{"unknown kind", "kind: mail", "want webhook, slack or pagerduty"},
		{"unknown severity", "kind: slack, url_env: SLACK, min_severity: worst", "min_severity"},
		{"secret in the file", "kind: webhook, url: 'https://x', secret: s3cr3t", "secret"},
		{"address of Slack in the file", "kind: slack, url: 'https://hooks/s3cr3t'", "url_file or url_env"},
		{"http", "kind: webhook, url: 'http://x/y', secret_file: " + file, "https"},
		{"user in the address", "kind: slack, url_env: BAD", "without a user"},
		{"no secret", "kind: webhook, url: 'https://x'", "whsec_"},
		{"short secret", "kind: webhook, url: 'https://x', secret_env: KEY", "whsec_"},
		{"no such variable", "kind: slack, url_env: NOPE", "NOPE is not set"},
		{"no such file", "kind: slack, url_file: /nope", "/nope"},
		{"both", "kind: slack, url_file: /nope, url_env: SLACK", "give one"},
		{"no key", "kind: pagerduty", "routing key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sinks, err := ParseSinks("alerts.yaml", []byte("sinks:\n- {name: a, "+c.yaml+"}\n"))
			if err == nil {
				_, err = New(sinks, Deps{Env: env})
			}
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%v, want %q", err, c.says)
			}
			if err != nil && strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("the error holds the secret: %v", err)
			}
		})
	}
	for _, bad := range []string{"sinks:\n- {kind: slack}\n", "sinks:\n- {name: a}\n- {name: a}\n", "sinks: 7\n", "sink: []\n"} {
		if _, err := ParseSinks("alerts.yaml", []byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzParseSinks(f *testing.F) {
	f.Add([]byte("sinks:\n- {name: a, kind: slack, url_env: X, kinds: [a, b]}\n"))
	f.Add([]byte("sinks: [&a {name: x}, *a]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		sinks, err := ParseSinks("f", b)
		for _, s := range sinks {
			if s.Name == "" || err != nil {
				t.Errorf("%+v, %v", s, err)
			}
		}
	})
}
