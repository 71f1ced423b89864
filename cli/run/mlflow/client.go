// Package mlflow sends a run's series to an MLflow tracking server over its REST API (api/2.0/mlflow).
//
// A call may be repeated after any failure. The MLflow run is found again by a tag with our run's uid, and every batch
// carries a tag with the number of values that are there after it: a repeat goes on behind them. A batch of which only the
// answer was lost is sent once more with the same times; MLflow's SQL stores drop such twins.
package mlflow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Config is the server and how to get in.
type Config struct {
	URL, Experiment       string
	Token, User, Password string // from the environment; never from a flag
	HTTP                  *http.Client
}

// Client talks to one server.
type Client struct {
	cfg  Config
	base string
}

// New checks the address.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("--to: want http://host:port or https://host")
	}
	if u.User != nil {
		return nil, errors.New("--to: no password in the address; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD")
	}
	if cfg.Experiment == "" {
		return nil, errors.New("--experiment: want a name")
	}
	return &Client{cfg: cfg, base: strings.TrimRight(u.String(), "/") + "/api/2.0/mlflow/"}, nil
}

// Problem is the server's refusal.
type Problem struct {
	Status  int
	Code    string `json:"error_code"`
	Message string `json:"message"`
}

func (p *Problem) Error() string {
	return fmt.Sprintf("MLflow answers %d %s: %s", p.Status, p.Code, p.Message)
}

// maxAnswer bounds what is read of an answer: a run with many tags and metrics is large.
const maxAnswer = 16 << 20

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	switch {
	case c.cfg.Token != "":
		req.Header.Set("Authorization", "Bearer "+c.cfg.Token)
	case c.cfg.User != "":
		req.SetBasicAuth(c.cfg.User, c.cfg.Password)
	}
	resp, err := c.cfg.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the answer to %s: %w", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return problemOf(resp.StatusCode, answer)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("the answer to %s is no JSON of MLflow: %w; is --to its address?", path, err)
	}
	return nil
}

func problemOf(status int, answer []byte) error {
	p := &Problem{Status: status}
	if json.Unmarshal(answer, p) != nil || p.Code == "" {
		p.Code, p.Message = http.StatusText(status), strings.TrimSpace(string(answer[:min(len(answer), 200)]))
	}
	return p
}

func is(err error, code string) bool {
	var p *Problem
	return errors.As(err, &p) && p.Code == code
}
