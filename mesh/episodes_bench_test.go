package mesh

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/provenir/provenir/services/gateway/openenv"
)

// One step with a tool that does nothing: WebSocket, gRPC in memory, session, and back. Clients run in the same process.
func BenchmarkStep(b *testing.B) {
	for _, clients := range []int{1, 8} {
		b.Run(map[int]string{1: "1 client", 8: "8 clients"}[clients], func(b *testing.B) {
			f := newFace(b, openenv.Config{}, 0)
			conns := make([]*websocket.Conn, clients)
			for i := range conns {
				conns[i] = f.dial(b.Context())
				f.say(b.Context(), conns[i], begin)
			}
			b.ResetTimer()
			var all sync.WaitGroup
			for i, conn := range conns {
				all.Go(func() {
					for n := i; n < b.N; n += clients {
						if got := f.say(b.Context(), conn, nothing); !strings.Contains(got, `"text":"ok"`) {
							b.Error(got)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "steps/s")
			for _, conn := range conns {
				_ = conn.CloseNow()
			}
		})
	}
}

// What 1,000 open episodes hold, server and clients together: heap in use and stacks.
func BenchmarkThousandEpisodes(b *testing.B) {
	inUse := func() float64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapInuse + m.StackInuse)
	}
	for b.Loop() {
		f := newFace(b, openenv.Config{}, 0)
		before := inUse()
		ctx, cancel := context.WithCancel(b.Context())
		conns := make([]*websocket.Conn, 1000)
		for i := range conns {
			conns[i] = f.dial(ctx)
			f.say(ctx, conns[i], begin)
			f.say(ctx, conns[i], nothing)
		}
		b.ReportMetric((inUse()-before)/1e6, "MB")
		for _, conn := range conns {
			_ = conn.CloseNow()
		}
		cancel()
	}
}
