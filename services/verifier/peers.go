package verifier

import (
	"errors"
	"sync"

	"google.golang.org/grpc"

	"github.com/provenir/provenir/internal/rpc"
)

// peers are the connections to verifiers in other processes, one a target, for as long as the service lives.
type peers struct {
	mu     sync.Mutex
	conns  map[string]*grpc.ClientConn
	closed bool
}

var errStopping = errors.New("the verifier is stopping")

// dial gives the connection to a target; it is established lazily, and its owner is peers.
func (p *peers) dial(target string) (grpc.ClientConnInterface, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errStopping
	}
	if c := p.conns[target]; c != nil {
		return c, nil
	}
	c, err := rpc.Dial(rpc.DialConfig{Target: target})
	if err != nil {
		return nil, err
	}
	if p.conns == nil {
		p.conns = map[string]*grpc.ClientConn{}
	}
	p.conns[target] = c
	return c, nil
}

func (p *peers) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var err error
	for _, c := range p.conns {
		err = errors.Join(err, c.Close())
	}
	p.conns = nil
	return err
}
