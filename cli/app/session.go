package app

import (
	"context"
	"errors"
	"net"

	"google.golang.org/grpc"

	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/mesh"
)

// Session is a connection to a mesh: a remote one, or one that lives in this process until Close.
type Session struct {
	Conn  *grpc.ClientConn
	Local *mesh.Mesh // nil for a remote mesh
}

// Connect reaches the mesh that --server names, or starts the roles that the verb needs in this process.
func (a *App) Connect(ctx context.Context, roles ...mesh.Role) (*Session, error) {
	s, err := a.Settings()
	if err != nil {
		return nil, err
	}
	if addr := a.ServerAddress(); addr != "" {
		if a.Unsandboxed {
			return nil, Usage(errors.New("--allow-unsandboxed: the mesh at " + addr + " decides how it runs programs; leave --server and PROVENIR_SERVER out, or the flag"))
		}
		token, err := a.token(s)
		if err != nil {
			return nil, err
		}
		if err := loopback(addr); err != nil {
			return nil, err
		}
		conn, err := rpc.Dial(rpc.DialConfig{Target: addr, Token: token})
		if err != nil {
			return nil, Usage(err)
		}
		return &Session{Conn: conn}, nil
	}
	m, err := mesh.Start(ctx, mesh.Config{Settings: s, Roles: roles, Private: true, AllowUnsandboxed: a.Unsandboxed, Log: a.Err})
	if err != nil {
		return nil, err
	}
	conn, err := m.Connect()
	if err != nil {
		return nil, errors.Join(err, m.Stop())
	}
	return &Session{Conn: conn, Local: m}, nil
}

// ConnectRun is Connect for a verb about one run, and the uid of the run that a person named. All roles are needed for it: the
// orchestrator knows which run is meant, and does not start without the others.
func (a *App) ConnectRun(ctx context.Context, name string) (*Session, string, error) {
	s, err := a.Connect(ctx, mesh.Roles()...)
	if err != nil {
		return nil, "", err
	}
	uid, err := s.RunUID(ctx, name)
	if err != nil {
		return nil, "", errors.Join(err, s.Close())
	}
	return s, uid, nil
}

// loopback refuses to send a token in plain text over a network.
func loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return Usage(errors.New("--server " + addr + ": want host:port"))
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return Usage(errors.New("--server " + addr + ": without TLS only an address of this machine is allowed; use an SSH tunnel"))
	}
	return nil
}

// UIDLength is the number of characters of a run's uid.
const UIDLength = 26

// RunUID gives the uid of a run that a person named: a uid, an unambiguous prefix of one, or @last. The mesh must have the
// orchestrator, except for a whole uid, which is taken as it is: its run may have been deleted and its ledger not.
func (s *Session) RunUID(ctx context.Context, name string) (string, error) {
	if len(name) == UIDLength {
		return name, nil
	}
	got, err := orchestratorv1.NewOrchestratorServiceClient(s.Conn).GetRun(ctx, &orchestratorv1.GetRunRequest{Run: name})
	return got.GetRun().GetUid(), err
}

// Close ends the connection and, with it, a local mesh.
func (s *Session) Close() error {
	err := s.Conn.Close()
	if s.Local != nil {
		err = errors.Join(err, s.Local.Stop())
	}
	return err
}
