package mesh

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	blobv1 "github.com/provenir/provenir/gen/provenir/blob/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/blobrpc"
	"github.com/provenir/provenir/internal/bus"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/lifecycle"
	"github.com/provenir/provenir/internal/outbox"
	"github.com/provenir/provenir/internal/store"
)

// service is what every role's package gives.
type service interface {
	Register(r grpc.ServiceRegistrar)
	Run(ctx context.Context) error
	Health(ctx context.Context) error
}

// builder holds what roles share while they are built.
type builder struct {
	*Mesh
	data    string
	blobs   *blob.Store
	publish outbox.Publish
	clock   clock.Clock
	tasks   []lifecycle.Task
}

// open opens what every role needs: the data folder, blobs, and the bus where it is here or has a URL.
func (m *Mesh) open(ctx context.Context) (*builder, error) {
	b := &builder{Mesh: m, data: m.cfg.Settings.Get("data"), clock: clock.System{}}
	if err := os.MkdirAll(b.data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	var err error
	if b.blobs, err = blob.Open(filepath.Join(b.data, "blobs")); err != nil {
		return nil, err
	}
	return b, b.openBus(ctx)
}

// openBus: the recorder carries the embedded NATS; other roles reach it by nats.url. Without either, messages wait in
// their outboxes, and health says so.
func (b *builder) openBus(ctx context.Context) error {
	url, listen := b.cfg.Settings.Get("nats.url"), b.cfg.Settings.Get("nats.listen")
	if listen == "off" || b.cfg.Private {
		listen = ""
	}
	if url == "" && !b.runs(Recorder) {
		return nil
	}
	nats, err := bus.Open(ctx, bus.Config{URL: url, Listen: listen, Dir: b.data, Token: b.tokens.Person()})
	if err != nil {
		return err
	}
	b.closers = append(b.closers, nats.Close)
	b.at.NATS = nats.Address()
	b.publish = outbox.ToJetStream(nats.JetStream())
	return nil
}

func (b *builder) runs(r Role) bool {
	for _, x := range b.cfg.Roles {
		if x == r {
			return true
		}
	}
	return false
}

// database opens a role's own database.
func (b *builder) database(ctx context.Context, r Role, migrations []store.Migration) (*store.DB, error) {
	where := b.cfg.Settings.Get("store.url")
	if where == "" {
		where = filepath.Join(b.data, string(r)+".db")
	}
	db, err := store.Open(ctx, where, migrations)
	if err == nil {
		b.closers = append(b.closers, db.Close)
	}
	return db, err
}

// add registers a role and remembers to run it.
func (b *builder) add(r Role, s service) {
	s.Register(b.server)
	b.health = append(b.health, s.Health)
	b.tasks = append(b.tasks, lifecycle.Task{Name: string(r), Run: s.Run})
}

// registerCommon serves what each process serves once.
func (b *builder) registerCommon() {
	blobv1.RegisterBlobServiceServer(b.server, blobrpc.NewServer(b.blobs))
}

// serving tells health watchers that every role here has recovered.
func (b *builder) serving() {
	for name := range b.server.GetServiceInfo() {
		if strings.HasPrefix(name, "provenir.") {
			b.server.Health.SetServingStatus(name, healthpb.HealthCheckResponse_SERVING)
		}
	}
}

// environment is what the process observed of where it runs; it is recorded beside the tree.
func environment() map[string]string {
	env := map[string]string{"go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH, "cores": fmt.Sprint(runtime.NumCPU())}
	if host := hostname(); host != "" {
		env["host"] = host
	}
	return env
}

// hostname is empty where the machine does not say.
func hostname() string {
	host, err := os.Hostname()
	if err != nil {
		return ""
	}
	return host
}
