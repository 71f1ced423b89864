package incident_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/incident"
)

// feed plays a word: w warn, c critical, . clear, - between limit and clear, space nothing said.
func feed(t *incident.Tracker, word string, need int) []string {
	var got []string
	for i, ch := range word {
		var signals []detect.Signal
		s := detect.Signal{Kind: "kl_blowup", Metric: "kl.ref", Need: need}
		switch ch {
		case 'w':
			s.Level = detect.Warn
		case 'c':
			s.Level = detect.Critical
		case '.':
			s.Clear = true
		}
		if ch != ' ' {
			signals = append(signals, s)
		}
		for _, e := range t.Step(incident.Place{Seq: uint64(i), Step: uint64(i)}, 1, signals) {
			got = append(got, fmt.Sprintf("%d %s %s from %d", i, e.What, e.Severity, e.Onset))
		}
	}
	return got
}

func TestLifeOfAnIncident(t *testing.T) {
	calm := strings.Repeat(".", 10)
	tests := []struct {
		name string
		word string
		need int
		want []string
	}{
		{"two breaches are none", "ww.ww.", 0, nil},
		{"three open", ".www", 0, []string{"3 OPEN warn from 1"}},
		{"a hard limit opens at once", "..c", 1, []string{"2 OPEN critical from 2"}},
		{"a value at the limit breaks the row", "ww-ww-", 0, nil},
		{"silence does not", "w w w", 0, []string{"4 OPEN warn from 0"}},
		{"escalation needs as many", "wwwcc.ccc", 0, []string{"2 OPEN warn from 0", "8 ESCALATE critical from 0"}},
		{"nine calm steps are not enough", "www.........w", 0, []string{"2 OPEN warn from 0"}},
		{"ten are", "www" + calm, 0, []string{"2 OPEN warn from 0", "12 RESOLVE warn from 0"}},
		{"trembling at the limit ends nothing", "www.....-.....", 0, []string{"2 OPEN warn from 0"}},
		{"an update every 50 steps", strings.Repeat("w", 110), 0, []string{"2 OPEN warn from 0", "52 UPDATE warn from 0", "102 UPDATE warn from 0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := feed(incident.New("r"), tt.word, tt.need); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestReopeningContinues(t *testing.T) {
	tests := []struct {
		name string
		calm int
		same bool
	}{{"soon", 15, true}, {"late", 40, false}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := incident.New("r")
			var opened []incident.Event
			for i, ch := range "www" + strings.Repeat(".", tt.calm) + "www" {
				s := detect.Signal{Kind: "k", Clear: ch == '.'}
				if ch == 'w' {
					s.Level = detect.Warn
				}
				for _, e := range tr.Step(incident.Place{Step: uint64(i)}, 1, []detect.Signal{s}) {
					if e.What == incident.Open {
						opened = append(opened, e)
					}
				}
			}
			if len(opened) != 2 || (opened[0].Incident == opened[1].Incident) != tt.same || opened[0].UID == opened[1].UID {
				t.Errorf("opened %+v", opened)
			}
		})
	}
}

func TestNewAttemptSupersedes(t *testing.T) {
	tr := incident.New("r")
	hot := []detect.Signal{{Kind: "k", Level: detect.Critical, Need: 1}}
	tr.Step(incident.Place{Step: 9}, 1, hot)
	events := slices.Clone(tr.Step(incident.Place{Step: 3, Attempt: 1}, 2, nil))
	if len(events) != 1 || events[0].What != incident.Resolve || events[0].Attempt != 0 || !strings.Contains(events[0].Detail, "superseded") {
		t.Fatalf("events %+v", events)
	}
	if tr.IsOpen("k") {
		t.Error("it is still open")
	}
	again := tr.Step(incident.Place{Step: 4, Attempt: 1}, 2, hot)
	if len(again) != 1 || again[0].What != incident.Open || again[0].Incident == events[0].Incident {
		t.Errorf("the new attempt has incidents of its own: %+v", again)
	}
}

func TestVerdict(t *testing.T) {
	tests := []struct {
		name     string
		word     string
		readable bool
		want     incident.Verdict
		worst    detect.Severity
	}{
		{"too short", "....", true, incident.Insufficient, detect.None},
		{"nothing to read", "..........", false, incident.Insufficient, detect.None},
		{"healthy", "..........", true, incident.Healthy, detect.None},
		{"one breach", "....w.....", true, incident.Healthy, detect.None},
		{"open warn", "..........www", true, incident.Degraded, detect.Warn},
		{"open critical", "..........ccc", true, incident.Unhealthy, detect.Critical},
		{"critical in a short run", "ccc", true, incident.Unhealthy, detect.Critical},
		{"ended a moment ago", "ccc" + strings.Repeat(".", 25), true, incident.Degraded, detect.Critical},
		{"ended long ago", "ccc" + strings.Repeat(".", 60), true, incident.Healthy, detect.Critical},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := incident.New("r")
			feed(tr, tt.word, 0)
			if got := tr.Verdict(tt.readable); got != tt.want || tr.Worst() != tt.worst {
				t.Errorf("verdict %s, worst %s; want %s, %s", got, tr.Worst(), tt.want, tt.worst)
			}
		})
	}
}

func TestCounts(t *testing.T) {
	tr := incident.New("r")
	feed(tr, "wwwccc"+strings.Repeat(".", 40)+"www", 0)
	want := []incident.Count{{Kind: "kl_blowup", Severity: detect.Warn, Incidents: 2}, {Kind: "kl_blowup", Severity: detect.Critical, Incidents: 1}}
	if got := tr.Counts(); !slices.Equal(got, want) {
		t.Errorf("counts %+v", got)
	}
	if step, ok := tr.FirstOnset(); !ok || step != 0 {
		t.Errorf("first onset %d, %v", step, ok)
	}
}

func TestUID(t *testing.T) {
	event := func(run string) incident.Event {
		return incident.New(run).Step(incident.Place{Step: 7, Attempt: 2}, 1, []detect.Signal{{Kind: "k", Metric: "m", Level: detect.Warn, Need: 1,
			Evidence: detect.Evidence{Value: 2.5, HasValue: true, Limit: 2, HasLimit: true, Note: "why"}}})[0]
	}
	a, b, other := event("r"), event("r"), event("q")
	if a.UID != b.UID || a.UID == other.UID || len(a.UID) != 26 || a.UID != strings.ToLower(a.UID) {
		t.Errorf("uids %q, %q, %q", a.UID, b.UID, other.UID)
	}
	if want := "m is 2.5 (limit 2): why"; a.Detail != want {
		t.Errorf("detail %q, want %q", a.Detail, want)
	}
}

// A tracker that is stored and taken up in the middle says and holds the same as one that never stopped.
func TestSplitStream(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringOfN(rapid.RuneFrom([]rune("wc.- ")), 0, 120, -1).Draw(t, "word")
		cut := rapid.IntRange(0, len(word)).Draw(t, "cut")
		whole := incident.New("r")
		feed(whole, word, 0)
		part := incident.New("r")
		step := func(tr *incident.Tracker, from, to int) {
			for i := from; i < to; i++ {
				s := detect.Signal{Kind: "kl_blowup", Metric: "kl.ref", Clear: word[i] == '.'}
				switch word[i] {
				case 'w':
					s.Level = detect.Warn
				case 'c':
					s.Level = detect.Critical
				}
				var signals []detect.Signal
				if word[i] != ' ' {
					signals = append(signals, s)
				}
				tr.Step(incident.Place{Seq: uint64(i), Step: uint64(i)}, 1, signals)
			}
		}
		step(part, 0, cut)
		b, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		resumed := incident.New("r")
		if err := json.Unmarshal(b, resumed); err != nil {
			t.Fatal(err)
		}
		step(resumed, cut, len(word))
		got, err1 := json.Marshal(resumed)
		want, err2 := json.Marshal(whole)
		if err1 != nil || err2 != nil || !bytes.Equal(got, want) {
			t.Fatalf("state after a restart differs:\n%s\n%s", got, want)
		}
	})
}
