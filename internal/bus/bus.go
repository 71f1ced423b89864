// Package bus distributes events: embedded NATS JetStream, or a cluster by URL.
//
// NATS acknowledges before it syncs, so it is distribution and never the truth: what must not be lost lies in an
// outbox (internal/outbox) and is sent again until the stream has it.
package bus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Config says where the bus is.
type Config struct {
	URL    string // of a NATS cluster; empty starts an embedded server
	Listen string // host:port of the embedded server; empty keeps it inside the process
	Dir    string // of the embedded server's streams
	Token  string // that subscribers present
}

// Bus is a connection, and the server behind it when it is embedded.
type Bus struct {
	conn   *nats.Conn
	js     jetstream.JetStream
	server *server.Server
}

// Open starts or reaches NATS and makes the streams.
func Open(ctx context.Context, cfg Config) (*Bus, error) {
	b := &Bus{}
	opts := []nats.Option{nats.Name("provenir"), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond), nats.Token(cfg.Token)}
	url := cfg.URL
	if url == "" {
		s, err := embedded(cfg)
		if err != nil {
			return nil, err
		}
		b.server = s
		url = "nats://embedded"
		opts = append(opts, nats.InProcessServer(s))
	} else {
		// A mesh starts without its bus: the outbox grows until it is back.
		opts = append(opts, nats.RetryOnFailedConnect(true))
	}
	conn, err := nats.Connect(url, opts...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connect to NATS: %w", err), b.Close())
	}
	b.conn = conn
	if b.js, err = jetstream.New(conn); err != nil {
		return nil, errors.Join(fmt.Errorf("JetStream: %w", err), b.Close())
	}
	if b.server != nil {
		if err := b.Prepare(ctx); err != nil {
			return nil, errors.Join(err, b.Close())
		}
	}
	return b, nil
}

func embedded(cfg Config) (*server.Server, error) {
	o := &server.Options{
		ServerName: "provenir", JetStream: true, StoreDir: filepath.Join(cfg.Dir, "nats"), NoSigs: true, NoLog: true,
		DontListen: cfg.Listen == "", Authorization: cfg.Token, MaxPayload: 1 << 20,
		JetStreamMaxMemory: 32 << 20, JetStreamMaxStore: 8 << 30,
	}
	if cfg.Listen != "" {
		host, port, err := net.SplitHostPort(cfg.Listen)
		if err != nil {
			return nil, fmt.Errorf("nats.listen %q: %w", cfg.Listen, err)
		}
		if o.Port, err = strconv.Atoi(port); err != nil {
			return nil, fmt.Errorf("nats.listen %q: port: %w", cfg.Listen, err)
		}
		if o.Host = host; o.Port == 0 {
			o.Port = server.RANDOM_PORT
		}
	}
	s, err := server.NewServer(o)
	if err != nil {
		return nil, fmt.Errorf("start embedded NATS: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(5 * time.Second) {
		s.Shutdown()
		return nil, fmt.Errorf("embedded NATS did not become ready; is %s in use?", cfg.Listen)
	}
	return s, nil
}

// Address is where outsiders subscribe; empty when the server stays inside the process.
func (b *Bus) Address() string {
	if b.server == nil || b.server.Addr() == nil {
		return ""
	}
	return b.server.Addr().String()
}

// JetStream is the stream API.
func (b *Bus) JetStream() jetstream.JetStream { return b.js }

// Health says whether the bus can be reached now.
func (b *Bus) Health() error {
	if !b.conn.IsConnected() {
		return fmt.Errorf("NATS is %s", b.conn.Status())
	}
	return nil
}

// Close drains what was published and stops an embedded server.
func (b *Bus) Close() error {
	var err error
	if b.conn != nil {
		err = b.conn.FlushTimeout(2 * time.Second)
		b.conn.Close()
		if errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, nats.ErrTimeout) {
			err = nil // it was away already; the outbox still holds what it did not take
		}
	}
	if b.server != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
	}
	return err
}
