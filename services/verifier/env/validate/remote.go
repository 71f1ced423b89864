package validate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/provenir/provenir/internal/strictjson"
)

// answerWithin is how long an answer may take. After it the connection is closed: replies carry no id, so a late one
// would be taken for the next.
const answerWithin = 15 * time.Second

// maxAnswer bounds what a server may say at once.
const maxAnswer = 1 << 20

// Remote is an OpenEnv server.
type Remote struct {
	base   *url.URL
	header http.Header
	client *http.Client
}

// NewRemote reads an address. A password in it goes with every request.
func NewRemote(address string) (*Remote, error) {
	u, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("an address begins with http:// or https:// and names a host")
	}
	r := &Remote{base: u, header: http.Header{}, client: &http.Client{Timeout: answerWithin,
		Transport: &http.Transport{DisableKeepAlives: true},
		// A redirect would send us, and the password, where the caller did not say.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if u.User != nil {
		password, _ := u.User.Password()
		req := &http.Request{Header: r.header}
		req.SetBasicAuth(u.User.Username(), password)
		u.User = nil
	}
	return r, nil
}

// Open connects.
func (r *Remote) Open(ctx context.Context) (Peer, error) {
	dial, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	conn, resp, err := websocket.Dial(dial, r.base.JoinPath("ws").String(), &websocket.DialOptions{HTTPClient: &http.Client{Transport: r.client.Transport,
		CheckRedirect: r.client.CheckRedirect}, HTTPHeader: r.header, CompressionMode: websocket.CompressionDisabled})
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close() // it was taken over, or is of an answer that is no connection
	}
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(maxAnswer)
	return &socket{conn: conn}, nil
}

// socket is one connection.
type socket struct{ conn *websocket.Conn }

// ask sends a message and reads its answer.
func (s *socket) ask(ctx context.Context, raw []byte, want string) (map[string][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, raw); err != nil {
		// It may have said why before it closed, as a server does that is full.
		if _, last, read := s.conn.Read(ctx); read == nil {
			if _, bad := answerOf(last, want); bad != nil {
				return nil, bad
			}
		}
		return nil, err
	}
	_, got, err := s.conn.Read(ctx)
	if err != nil {
		return nil, err
	}
	return answerOf(got, want)
}

func keys(raw []byte, what string, want ...string) (map[string][]byte, error) {
	found, err := strictjson.Object(raw, strictjson.Limits{Bytes: maxAnswer})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	out := map[string][]byte{}
	for _, m := range found {
		out[m.Key] = m.Value
	}
	for _, k := range want {
		if _, ok := out[k]; !ok {
			return nil, fmt.Errorf("%s has no key %s", what, k)
		}
	}
	if len(out) != len(want) {
		return nil, fmt.Errorf("%s has keys beside %v: %.120s", what, want, raw)
	}
	return out, nil
}

func answerOf(raw []byte, want string) (map[string][]byte, error) {
	m, err := keys(raw, "an answer", "type", "data")
	if err != nil {
		return nil, err
	}
	switch kind := string(m["type"]); kind {
	case `"error"`:
		// OpenEnv's own server says more in an error than these two, so more is no breach.
		var e struct {
			Code    *string `json:"code"`
			Message *string `json:"message"`
		}
		if json.Unmarshal(m["data"], &e) != nil || e.Code == nil || e.Message == nil {
			return nil, fmt.Errorf("code and message of an error are text: %.120s", raw)
		}
		return nil, &Refused{Code: *e.Code, Message: *e.Message}
	case `"` + want + `"`:
		if want == "observation" {
			return keys(m["data"], "an observation", "observation", "reward", "done")
		}
		return map[string][]byte{"data": m["data"]}, nil
	default:
		return nil, fmt.Errorf("want %s, have an answer of type %s", want, kind)
	}
}

func (s *socket) observe(ctx context.Context, raw []byte) (Seen, error) {
	m, err := s.ask(ctx, raw, "observation")
	if err != nil {
		return Seen{}, err
	}
	var o Seen
	var inner map[string]any
	d := json.NewDecoder(bytes.NewReader(m["observation"]))
	d.UseNumber()
	if json.Unmarshal(m["done"], &o.Done) != nil || json.Unmarshal(m["reward"], &o.Reward) != nil || d.Decode(&inner) != nil || string(m["done"]) == "null" {
		return Seen{}, fmt.Errorf("observation is an object, reward a number or null, and done true or false: %.120s", m["observation"])
	}
	o.Truncated, _ = inner["truncated"].(bool)
	o.Error = inner["error"] != nil && inner["error"] != "" && inner["error"] != false
	delete(inner, "episode_id")
	text, err := json.Marshal(inner)
	o.Text = string(text)
	return o, err
}

// Reset begins an episode.
func (s *socket) Reset(ctx context.Context, seed uint64, episode string) (Seen, error) {
	data := map[string]any{"seed": seed}
	if episode != "" {
		data["episode_id"] = episode
	}
	raw, err := json.Marshal(map[string]any{"type": "reset", "data": data})
	if err != nil {
		return Seen{}, err
	}
	return s.observe(ctx, raw)
}

// Step acts.
func (s *socket) Step(ctx context.Context, action []byte) (Seen, error) {
	return s.observe(ctx, append(append([]byte(`{"type":"step","data":`), action...), '}'))
}

// State asks where the episode stands.
func (s *socket) State(ctx context.Context) (State, error) {
	m, err := s.ask(ctx, []byte(`{"type":"state"}`), "state")
	if err != nil {
		return State{}, err
	}
	var st struct {
		Episode *string `json:"episode_id"`
		Steps   *uint64 `json:"step_count"`
	}
	if json.Unmarshal(m["data"], &st) != nil || st.Steps == nil {
		return State{}, fmt.Errorf("a state has episode_id and step_count: %.120s", m["data"])
	}
	out := State{Steps: *st.Steps}
	if st.Episode != nil {
		out.Episode = *st.Episode
	}
	return out, nil
}

// Close says so and waits until the server has closed.
func (s *socket) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, []byte(`{"type":"close"}`)); err != nil {
		return err
	}
	_, got, err := s.conn.Read(ctx)
	if err == nil {
		return fmt.Errorf("an answer to close: %.120s", got)
	}
	if websocket.CloseStatus(err) == -1 {
		return err
	}
	return nil
}

// Drop goes away without a word.
func (s *socket) Drop() { _ = s.conn.CloseNow() }
